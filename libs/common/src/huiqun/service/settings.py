"""What an operator can set for every service, read once from the environment (HUIQUN_*) or mounted files."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from huiqun.kafka import KafkaOptions
from huiqun.privacy.encryption import MasterKeys
from huiqun.privacy.keys import RotatingKey
from huiqun.service.security_settings import SecuritySettings
from huiqun.store import Driver, MongoOptions

_PREFIX = "HUIQUN_"
_MOUNTED = Path("/run/secrets")
_LAST_PORT: Final = 65_535
_METRICS_ABOVE: Final = 1_000


class ConnectionSettings(SecuritySettings):
    """Where the servers are: what a command needs. Any of it may stand in a file of its name below /run/secrets."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        extra="ignore",
        frozen=True,
        secrets_dir=_MOUNTED if _MOUNTED.is_dir() else None,
        hide_input_in_errors=True,
    )

    mongo_url: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", description="A replica set", repr=False)
    mongo_driver: Driver = Field(default="pymongo", description="Whose client: PyMongo's own for asyncio, or Motor's")
    database_prefix: str = Field(default="huiqun_", description="Stands before the service's name")
    kafka_bootstrap: str = "127.0.0.1:9092"
    topic_prefix: str = Field(default="", description="Stands before topics and groups, to share a cluster")
    kafka_idempotent: bool = Field(default=True, description="Off for brokers without producer ids, such as Tansu")
    kafka_session_timeout_ms: int = Field(default=10_000, ge=1_000)
    kafka_fetch_wait_ms: int = Field(default=10, ge=1, le=5_000, description="Most that an idle broker delays an event")
    kafka_metadata_age_ms: int = Field(default=30_000, ge=100, description="How soon a new topic is noticed")
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

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        for sentence in self.contradictions(self.mongo_url):
            raise ValueError(sentence)
        return self

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
            metadata_age_milliseconds=self.kafka_metadata_age_ms,
            security=self.kafka_security,
        )

    @property
    def mongo(self) -> MongoOptions:
        """How to reach the store."""
        return replace(self.mongo_at(self.mongo_url), driver=self.mongo_driver)


# Compose hands on a variable that nobody set as an empty one.
_PreviousKey = Annotated[
    Annotated[SecretStr, Field(min_length=16)] | None,
    BeforeValidator(lambda given: None if given == "" else given),
    Field(description="the one before, as long as it is being exchanged: see docs/how-to/keep-keys.md"),
]


class EncryptionSettings(ConnectionSettings):
    """The keys under which the data keys of a service are wrapped."""

    # Without a default: what everybody can decrypt is not encrypted.
    encryption_key: SecretStr = Field(
        min_length=16,
        description="the secret that names and ids of other platforms are encrypted under, of 16 characters or more, "
        "the same in every process, and kept, as they are lost with it; `openssl rand -hex 32` prints a good one",
    )
    previous_encryption_key: _PreviousKey = None

    @property
    def master_keys(self) -> MasterKeys:
        """What data keys are wrapped under."""
        previous = self.previous_encryption_key
        return MasterKeys(self.encryption_key.get_secret_value(), previous.get_secret_value() if previous else None)


class ServiceSettings(EncryptionSettings):
    """The settings that all services share."""

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=0, le=65_535)
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="addresses and networks, separated by commas, of proxies whose X-Forwarded-For is believed",
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="where /metrics is; by default 1000 above the API's port, and any free port where that is 0",
    )
    rate_limit_caller: int = Field(default=3_000, ge=1, description="Requests a minute of one API key or person")
    rate_limit_address: int = Field(
        default=1_200, ge=1, description="Requests a minute without a valid credential from one address"
    )
    rate_limit_page: int = Field(default=600, ge=1, description="Members' pages a minute for one address")
    rate_limit_link: int = Field(default=60, ge=1, description="Pages a minute behind one member's link")
    log_level: str = "INFO"
    revision: str = Field(default="unknown", max_length=64, description="What it was built from, for huiqun_build_info")
    stuck_seconds: float = Field(
        default=120.0, ge=1, description="How long a loop may take for one turn until /healthz asks for a restart"
    )
    # Without a default: under keys that everybody knows, personal data could be guessed and links forged.
    hash_key: SecretStr = Field(
        min_length=16,
        description="the secret that personal data is hashed under, of 16 characters or more and the same in every "
        "process; `openssl rand -hex 32` prints a good one",
    )
    previous_hash_key: _PreviousKey = None
    link_key: SecretStr = Field(
        min_length=16,
        description="the secret that members' links are signed under, of 16 characters or more and the same in every "
        "process; `openssl rand -hex 32` prints a good one",
    )
    previous_link_key: _PreviousKey = None
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None

    @model_validator(mode="after")
    def _refuse_one_key_for_two_ends(self) -> Self:
        for name, other in combinations(("hash_key", "link_key", "encryption_key"), 2):
            if getattr(self, name) == getattr(self, other):
                named, others = (f"{_PREFIX}{each}".upper() for each in (other, name))
                raise ValueError(f"{named} is the same as {others}: set it to a secret of its own")
        return self

    @property
    def rotating_hash_key(self) -> RotatingKey:
        """The key of the hashes of personal data."""
        return _rotating(self.hash_key, self.previous_hash_key)

    @property
    def rotating_link_key(self) -> RotatingKey:
        """The key of members' links."""
        return _rotating(self.link_key, self.previous_link_key)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            ip_network(each)  # a ValueError says what is wrong with it
        return given

    @property
    def port_of_metrics(self) -> int:
        """The port of /metrics; 0 for any that is free."""
        if self.metrics_port is not None:
            return self.metrics_port
        if not self.api_port:
            return 0
        above = self.api_port + _METRICS_ABOVE
        return above if above <= _LAST_PORT else self.api_port - _METRICS_ABOVE


def _rotating(key: SecretStr, previous: SecretStr | None) -> RotatingKey:
    return RotatingKey(
        key.get_secret_value().encode(), previous.get_secret_value().encode() if previous is not None else None
    )


def describe_settings_errors(kind: type[ConnectionSettings], error: ValidationError) -> Iterator[str]:
    """What is wrong with each setting, by the name of its variable, and what it is for; never its value."""
    for part in error.errors():
        names = [str(step) for step in part["loc"]]
        if not names:  # settings that do not go together: what is said names them
            yield part["msg"].removeprefix("Value error, ")
            continue
        field = kind.model_fields.get(names[0]) if names else None
        meant = f" ({field.description})" if field is not None and field.description else ""
        yield f"{_PREFIX}{'_'.join(names).upper()}: {part['msg']}{meant}"
