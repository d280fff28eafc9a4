"""What an operator can set for moderation, beyond what all services share."""

from huiqun.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of moderation."""

    api_port: int = 8081
