"""What can go wrong with an embedded server, said with the ways out."""

from pathlib import Path

TAIL_LINES = 15

WAYS_OUT = """Ways out:
  MONGOD_BIN=/path/to/mongod   use a MongoDB server (6.0 or newer) of your own
  BROKER=kafka                 run Apache Kafka instead of the bundled broker (needs Java 17 and Maven)
  docker compose up            run everything in containers"""


class ServerUnavailableError(Exception):
    """An embedded server cannot run on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}\n{WAYS_OUT}")


class ServerFailedError(ServerUnavailableError):
    """An embedded server was started and did not come up."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The end of its log ({log}):\n{tail_log(log)}")


def tail_log(log: Path) -> str:
    """Return the last lines of a log, indented; an empty log is named as such."""
    if not log.exists():
        return "  (no log was written)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"  {line[:300]}" for line in lines) or "  (the log is empty)"
