"""`python -m engagement [--roles streams,tasks,api]`."""

from engagement.app import run
from engagement.settings import Settings
from huiqun.service.process import run_service

if __name__ == "__main__":
    run_service("engagement", Settings, run)
