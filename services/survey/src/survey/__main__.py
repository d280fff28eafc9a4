"""`python -m survey [--roles streams,tasks,api]`."""

from huiqun.service.process import run_service
from survey.app import run
from survey.settings import Settings

if __name__ == "__main__":
    run_service("survey", Settings, run)
