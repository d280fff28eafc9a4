"""Moderation as it is, which on its way down writes its own metrics to the file named on the command line."""

import runpy
import sys
from pathlib import Path

from prometheus_client import generate_latest

if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    try:
        runpy.run_module("moderation", run_name="__main__", alter_sys=True)
    finally:
        target.write_bytes(generate_latest())
