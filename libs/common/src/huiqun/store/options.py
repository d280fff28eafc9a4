"""What a client of MongoDB needs to know, and what a URL says of it already."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

_SRV = "mongodb+srv://"
#: PyMongo's asyncio client, or Motor.
Driver: TypeAlias = Literal["pymongo", "motor"]


class InvalidMongoUrlError(ValueError):
    """Not a URL of MongoDB; the message quotes nothing of it that may be secret."""


@dataclass(frozen=True, slots=True)
class MongoOptions:
    """Where the replica set is and who we are there; a password of its own keeps it out of the URL.

    `certificate_file` holds the certificate and its key, `driver` says which client is opened.
    """

    url: str = field(repr=False)
    username: str | None = None
    password: SecretStr | None = None
    auth_source: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_password: SecretStr | None = None
    driver: Driver = "pymongo"

    def arguments(self) -> dict[str, Any]:
        """What the driver's client takes beside the URL; None stands for nothing."""
        encrypts = self.ca_file is not None or self.certificate_file is not None
        given = {
            "username": self.username,
            "password": self.password.get_secret_value() if self.password else None,
            "authSource": self.auth_source,
            "tls": True if encrypts else None,
            "tlsCAFile": str(self.ca_file) if self.ca_file else None,
            "tlsCertificateKeyFile": str(self.certificate_file) if self.certificate_file else None,
            "tlsCertificateKeyFilePassword": self.key_password.get_secret_value() if self.key_password else None,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class MongoUrl:
    """What a URL says; `tls` is None where it says nothing. Nothing in it is secret."""

    hosts: tuple[str, ...]
    username: str | None
    mechanism: str | None
    tls: bool | None
    verifies_certificates: bool


def parse_mongo_url(url: str) -> MongoUrl:
    """Read a URL without asking any server, not even for names behind `mongodb+srv`; raises InvalidMongoUrlError."""
    is_srv = url.startswith(_SRV)
    try:
        with warnings.catch_warnings(action="ignore"):
            parsed = parse_uri(url.replace(_SRV, "mongodb://", 1) if is_srv else url, warn=True)
    except (PyMongoError, ValueError) as error:
        quotes_secrets = "@" in url or "password" in url.lower()
        reason = "" if quotes_secrets else f" ({error})"
        raise InvalidMongoUrlError(
            f"this is no address of MongoDB, which looks like mongodb://host:27017/?replicaSet=rs0{reason}; user and "
            "password belong in HUIQUN_MONGO_USERNAME and HUIQUN_MONGO_PASSWORD"
        ) from None
    options = {str(name).lower(): value for name, value in parsed["options"].items()}
    return MongoUrl(
        hosts=tuple(f"{host}:{port}" if port else str(host) for host, port in parsed["nodelist"]),
        username=parsed["username"],
        mechanism=options.get("authmechanism"),
        tls=options.get("tls", True if is_srv else None),
        verifies_certificates=not (
            options.get("tlsallowinvalidcertificates") or options.get("tlsallowinvalidhostnames")
        ),
    )
