"""What an operator can set for survey, beyond what all services share."""

from huiqun.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of survey."""

    api_port: int = 8084
