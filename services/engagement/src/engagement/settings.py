"""What an operator can set for engagement, beyond what all services share."""

from huiqun.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of engagement."""

    api_port: int = 8082
