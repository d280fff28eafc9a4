"""Free loopback ports that stay ours while a server is down."""

import secrets
import socket

LOOPBACK = "127.0.0.1"

# Below the range from which the kernel takes the ports of outgoing connections: else a client that keeps trying a
# stopped server's port would sooner or later be given that very port, connect to itself, and keep the server from it.
FIRST, LAST = 15_000, 32_000


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    for _ in range(200):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    msg = f"No free port between {FIRST} and {LAST} on {LOOPBACK}."
    raise OSError(msg)


def accepts_connections(port: int) -> bool:
    """Tell whether something listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
