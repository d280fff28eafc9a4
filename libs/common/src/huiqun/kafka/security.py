"""How clients of Kafka prove who they are and know the broker."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from huiqun.runtime.tls import create_tls_context

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """What the broker's listener speaks, and what it needs of us. The certificate's file may hold its key as well."""

    protocol: SecurityProtocol = "PLAINTEXT"
    mechanism: SaslMechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr | None = None

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is over TLS."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether a user signs in."""
        return self.protocol.startswith("SASL_")

    def arguments(self) -> dict[str, Any]:
        """What any of aiokafka's clients takes; reads the files anew, so that a renewed one is found."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol}
        if self.uses_tls:
            files = (self.ca_file, self.certificate_file, self.key_file)
            arguments["ssl_context"] = create_tls_context(*files, self.key_password)
        if self.uses_sasl:
            arguments["sasl_mechanism"] = self.mechanism
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password.get_secret_value() if self.password else None
        return arguments


UNSECURED = KafkaSecurity()
