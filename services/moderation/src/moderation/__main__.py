"""`python -m moderation [--roles streams,tasks,api]`."""

from huiqun.service.process import run_service
from moderation.app import run
from moderation.settings import Settings

if __name__ == "__main__":
    run_service("moderation", Settings, run)
