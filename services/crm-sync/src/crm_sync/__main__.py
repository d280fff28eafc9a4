"""`python -m crm_sync [--roles streams,tasks,api]`."""

from crm_sync.app import run
from crm_sync.settings import Settings
from huiqun.service.process import run_service

if __name__ == "__main__":
    run_service("crm-sync", Settings, run)
