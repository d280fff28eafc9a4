"""The machine and the programs a result was measured on: without them a figure says little."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from local.apache_kafka import POM
from local.errors import ServerUnavailableError
from local.mongod import mongod_binary
from local.tansu import tansu_binary

_LIBRARIES = ("aiokafka", "pymongo", "pydantic", "faststream", "daachorse", "uvloop")


def describe_machine() -> dict[str, Any]:
    """Processor, memory, kernel, versions, load and the revision of the source, as of now."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_mib": round(psutil.virtual_memory().total / 2**20),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "mongod": _version(mongod_binary),
        "broker": _kafka_version() if os.environ.get("BROKER") == "kafka" else _version(tansu_binary),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "load_at_start": [round(value, 2) for value in os.getloadavg()],
        "revision": _first_line("git", "describe", "--always", "--dirty", "--abbrev=12"),
    }


def _version(find: Callable[[], str]) -> str:
    """What the server says of itself; screening is measured without one, so it may be missing."""
    try:
        return _first_line(find(), "--version")
    except ServerUnavailableError:
        return "none"


def _kafka_version() -> str:
    _, _, after = POM.read_text(encoding="utf-8").partition("<artifactId>kafka_2.13</artifactId>")
    return f"Apache Kafka {after.partition('<version>')[2].partition('</version>')[0]}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _first_line(*command: str) -> str:
    try:
        finished = subprocess.run(  # noqa: S603 - programs this package names
            command, capture_output=True, text=True, timeout=10, check=True, cwd=Path(__file__).parent
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return finished.stdout.partition("\n")[0].strip()
