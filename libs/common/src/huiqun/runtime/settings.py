"""What an operator can set for every service, read once from the environment (HUIQUN_*) or mounted files."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from huiqun.stream.publisher import KafkaOptions


class ServiceSettings(BaseSettings):
    """The settings that all services share; a secret may stand in a file of its name below /run/secrets."""

    model_config = SettingsConfigDict(env_prefix="HUIQUN_", extra="ignore", frozen=True)

    mongo_url: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", description="A replica set")
    database_prefix: str = Field(default="huiqun_", description="Stands before the service's name")
    kafka_bootstrap: str = "127.0.0.1:9092"
    topic_prefix: str = Field(default="", description="Stands before topics and groups, to share a cluster")
    kafka_idempotent: bool = Field(default=True, description="Off for brokers without producer ids, such as Tansu")
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    kafka_fetch_wait_ms: int = Field(default=10, ge=1, le=5_000, description="Most that an idle broker delays an event")
    max_batch: int = Field(default=500, ge=1, le=5_000)
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=0, le=65_535)
    log_level: str = "INFO"
    hash_key: SecretStr = Field(default=SecretStr("change-me"), description="Key of the hashes of personal data")
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None

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
