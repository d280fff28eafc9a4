"""What happens when members come, go, write and agree, and when a time has come."""
