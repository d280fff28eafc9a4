"""What an operator can set for every service, read once from the environment (HUIQUN_*) or mounted files."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from huiqun.stream.publisher import KafkaOptions

_PREFIX = "HUIQUN_"
_MOUNTED = Path("/run/secrets")


class ConnectionSettings(BaseSettings):
    """Where the servers are: what a command needs. Any of it may stand in a file of its name below /run/secrets."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, extra="ignore", frozen=True, secrets_dir=_MOUNTED if _MOUNTED.is_dir() else None
    )

    mongo_url: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", description="A replica set")
    database_prefix: str = Field(default="huiqun_", description="Stands before the service's name")
    kafka_bootstrap: str = "127.0.0.1:9092"
    topic_prefix: str = Field(default="", description="Stands before topics and groups, to share a cluster")
    kafka_idempotent: bool = Field(default=True, description="Off for brokers without producer ids, such as Tansu")
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    kafka_fetch_wait_ms: int = Field(default=10, ge=1, le=5_000, description="Most that an idle broker delays an event")
    max_batch: int = Field(default=500, ge=1, le=5_000)
    max_batch_characters: int = Field(
        default=100_000, ge=1, description="Most text in a batch; a single record may have more"
    )
    breaker_share: float = Field(
        default=0.5, gt=0, le=1, description="A partition is paused when our handlers fail on more of it than this"
    )
    breaker_trial_seconds: float = Field(
        default=60, gt=0, description="How often one record of a paused partition is tried"
    )

    def database_of(self, service: str) -> str:
        """The name of a service's database."""
        return f"{self.database_prefix}{service.replace('-', '_')}"

    @property
    def kafka(self) -> KafkaOptions:
        """How to reach the broker."""
        return KafkaOptions(
            bootstrap=self.kafka_bootstrap,
            prefix=self.topic_prefix,
            idempotent=self.kafka_idempotent,
            session_timeout_milliseconds=self.kafka_session_timeout_ms,
            fetch_wait_milliseconds=self.kafka_fetch_wait_ms,
        )


class ServiceSettings(ConnectionSettings):
    """The settings that all services share."""

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=0, le=65_535)
    log_level: str = "INFO"
    # Without a default: under a key that everybody knows, personal data could be guessed and links forged.
    hash_key: SecretStr = Field(
        min_length=16,
        description="the secret that personal data is hashed and members' links are signed under, of 16 characters or "
        "more and the same in every process; `openssl rand -hex 32` prints a good one",
    )
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None


def wrong_settings(kind: type[ConnectionSettings], error: ValidationError) -> Iterator[str]:
    """What is wrong with each setting, by the name of its variable, and what it is for; never its value."""
    for part in error.errors():
        names = [str(step) for step in part["loc"]]
        field = kind.model_fields.get(names[0]) if names else None
        meant = f" ({field.description})" if field is not None and field.description else ""
        yield f"{_PREFIX}{'_'.join(names).upper()}: {part['msg']}{meant}"
