"""What an operator can set about encryption and identity, and which combinations make no sense."""

import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from huiqun.kafka.security import KafkaSecurity, SaslMechanism, SecurityProtocol
from huiqun.runtime.tls import create_tls_context
from huiqun.store import InvalidMongoUrlError, MongoOptions, parse_mongo_url

# Compose hands on a variable that nobody set as an empty one.
_Unset = BeforeValidator(lambda value: None if value == "" else value)
_Text = Annotated[str | None, _Unset]
_File = Annotated[Path | None, _Unset]
_Secret = Annotated[SecretStr | None, _Unset]
_MECHANISMS = ", ".join(get_args(SaslMechanism))
_SASL = ("kafka_sasl_mechanism", "kafka_username", "kafka_password")
_TLS = ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file", "kafka_key_password")
_INSECURE = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


class SecuritySettings(BaseSettings):
    """How a process proves who it is to Kafka and MongoDB, and how it knows them; by default neither."""

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="SASL_SSL encrypts and signs in; what the broker's listener speaks"
    )
    kafka_sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None, _Unset] = Field(
        default=None, description="How the user signs in"
    )
    kafka_username: _Text = None
    kafka_password: _Secret = None
    kafka_ca_file: _File = Field(default=None, description="PEM; without it the system's authorities are trusted")
    kafka_certificate_file: _File = Field(default=None, description="PEM; for brokers that ask for one")
    kafka_key_file: _File = Field(default=None, description="PEM; without it the certificate's file holds the key")
    kafka_key_password: _Secret = None
    mongo_username: _Text = None
    mongo_password: _Secret = None
    mongo_auth_source: _Text = Field(default=None, description="The database that knows the user; admin if not set")
    mongo_ca_file: _File = Field(default=None, description="PEM; turns TLS on, as does tls=true in the URL")
    mongo_certificate_file: _File = Field(default=None, description="PEM with the key, for servers that ask for one")
    mongo_key_password: _Secret = None

    @property
    def kafka_security(self) -> KafkaSecurity:
        """How to sign in to the broker."""
        return KafkaSecurity(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password,
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
            key_password=self.kafka_key_password,
        )

    def mongo_at(self, url: str) -> MongoOptions:
        """How to reach and sign in to the store at `url`."""
        return MongoOptions(
            url=url,
            username=self.mongo_username,
            password=self.mongo_password,
            auth_source=self.mongo_auth_source,
            ca_file=self.mongo_ca_file,
            certificate_file=self.mongo_certificate_file,
            key_password=self.mongo_key_password,
        )

    def contradictions(self, mongo_url: str) -> Iterator[str]:
        """What makes no sense together, each in a sentence that says what to set; never a value that is secret."""
        yield from _kafka_contradictions(self)
        yield from _mongo_contradictions(self, mongo_url)

    def warnings(self, mongo_url: str) -> Iterator[str]:
        """What works and is not safe."""
        if (self.kafka_security_protocol, self.kafka_sasl_mechanism) == ("SASL_PLAINTEXT", "PLAIN"):
            yield (
                "Kafka's password goes over the network in the clear: "
                "SASL_SSL encrypts it, HUIQUN_KAFKA_SASL_MECHANISM=SCRAM-SHA-512 never sends it"
            )
        url = parse_mongo_url(mongo_url)
        if url.mechanism == "PLAIN" and not (url.tls or self.mongo_ca_file):
            yield "MongoDB's password goes over the network in the clear: set tls=true in HUIQUN_MONGO_URL"


def _kafka_contradictions(settings: SecuritySettings) -> Iterator[str]:
    protocol: SecurityProtocol = settings.kafka_security_protocol
    set_sasl, set_tls = _those_set(settings, _SASL), _those_set(settings, _TLS)
    named = f"HUIQUN_KAFKA_SECURITY_PROTOCOL is {protocol}"
    if protocol.startswith("SASL_") and len(set_sasl) < len(_SASL):
        missing = _variables(name for name in _SASL if name not in set_sasl)
        yield f"{named}, so {missing} must be set too (mechanisms: {_MECHANISMS})"
    if not protocol.startswith("SASL_") and set_sasl:
        secured = "SASL_SSL" if protocol == "SSL" else "SASL_SSL or SASL_PLAINTEXT"
        yield f"{named}, so nobody would sign in: set it to {secured}, or unset {_variables(set_sasl)}"
    if not protocol.endswith("SSL") and set_tls:
        encrypted = "SASL_SSL" if protocol.startswith("SASL_") else "SSL or SASL_SSL"
        yield f"{named}, so nothing would be encrypted: set it to {encrypted}, or unset {_variables(set_tls)}"
    elif settings.kafka_certificate_file is None and (settings.kafka_key_file or settings.kafka_key_password):
        yield "HUIQUN_KAFKA_CERTIFICATE_FILE must be set too: the certificate that the key belongs to"
    elif set_tls:
        files = (settings.kafka_ca_file, settings.kafka_certificate_file, settings.kafka_key_file)
        yield from _unfit_files("KAFKA", *files, settings.kafka_key_password)


def _mongo_contradictions(settings: SecuritySettings, mongo_url: str) -> Iterator[str]:
    try:
        url = parse_mongo_url(mongo_url)
    except InvalidMongoUrlError as error:
        yield f"HUIQUN_MONGO_URL: {error}"
        return
    credentials = _those_set(settings, ("mongo_username", "mongo_password"))
    files = (settings.mongo_ca_file, settings.mongo_certificate_file)
    if url.username is not None and credentials:
        yield f"HUIQUN_MONGO_URL has a user of its own: take it out of there, or unset {_variables(credentials)}"
    if len(credentials) == 1:
        yield "HUIQUN_MONGO_USERNAME and HUIQUN_MONGO_PASSWORD go together: set both or neither"
    if settings.mongo_auth_source and not credentials and url.username is None:
        yield "HUIQUN_MONGO_AUTH_SOURCE says where the user is known: set HUIQUN_MONGO_USERNAME and _PASSWORD too"
    if url.tls is False and any(files):
        yield "HUIQUN_MONGO_URL says tls=false: take that out, or unset HUIQUN_MONGO_CA_FILE and _CERTIFICATE_FILE"
    if not url.verifies_certificates:
        yield (
            f"HUIQUN_MONGO_URL turns the check of the server's certificate off: take {', '.join(_INSECURE)} out of it "
            "and set HUIQUN_MONGO_CA_FILE to the certificate of the authority that signed it"
        )
    if settings.mongo_key_password and not settings.mongo_certificate_file:
        yield "HUIQUN_MONGO_CERTIFICATE_FILE must be set too: the certificate that the key belongs to"
    elif any(files):
        yield from _unfit_files("MONGO", *files, None, settings.mongo_key_password)


def _unfit_files(
    server: str, ca: Path | None, certificate: Path | None, key: Path | None, password: SecretStr | None
) -> Iterator[str]:
    """What is wrong with the files, found by loading them as a connection would."""
    prefix = f"HUIQUN_{server}_"
    for name, file in (("CA_FILE", ca), ("CERTIFICATE_FILE", certificate), ("KEY_FILE", key)):
        try:
            if file is not None:
                file.read_bytes()
        except OSError as error:
            yield f"{prefix}{name} is {file}, which cannot be read ({error.strerror}): set it to a PEM file"
            return
    try:
        create_tls_context(ca)
    except (OSError, ssl.SSLError):
        yield f"{prefix}CA_FILE is {ca}, which holds no certificate: set it to the authority's in PEM"
        return
    try:
        create_tls_context(None, certificate, key, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            yield f"{prefix}CERTIFICATE_FILE is {certificate}, whose key is another: set both to files of one pair"
            return
        where = f"in {key}" if key else "in the same file" if server == "MONGO" else f"there or in {prefix}KEY_FILE"
        yield (
            f"{prefix}CERTIFICATE_FILE is {certificate}: it takes a certificate in PEM, its key {where}, and "
            f"{prefix}KEY_PASSWORD if the key is encrypted; they do not fit ({error.reason or 'unreadable'})"
        )


def _those_set(settings: SecuritySettings, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(settings, name) is not None]


def _variables(names: Iterable[str]) -> str:
    return ", ".join(f"HUIQUN_{name.upper()}" for name in names)
