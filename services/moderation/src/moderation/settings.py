"""What an operator can set for moderation, beyond what all services share."""

from pydantic import Field

from huiqun.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of moderation."""

    api_port: int = 8081
    public_url: str | None = Field(
        default=None,
        description="Where members reach this API, to agree to rules on a page; without it no links are sent",
    )
