"""What an operator can set for crm-sync, beyond what all services share."""

from huiqun.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of crm-sync."""

    api_port: int = 8083
