"""The embedded stack: a real MongoDB and a real broker on loopback ports, without Docker."""
