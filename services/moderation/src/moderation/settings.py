"""What an operator can set for moderation, beyond what all services share."""

from pydantic import Field

from huiqun.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of moderation."""

    api_port: int = 8081
    four_eyes: bool = Field(
        default=True, description="Whether somebody else than its author has to put a policy's version in force"
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where members reach this API, to agree to rules or to appeal; without it no links are sent",
    )
