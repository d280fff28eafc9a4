"""Apache Kafka's further listeners, for clients that sign in and encrypt, and the users that it knows."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr

from huiqun.kafka.security import KafkaSecurity, SaslMechanism
from local.certificates import Authority, CertificatePair
from local.ports import LOOPBACK, free_port

ListenerName = Literal["SASL_SSL", "SASL_PLAINTEXT", "SSL"]

# Characters that URLs and configuration files would stumble over.
_AWKWARD: Final = "p@ss/w:rd%+ "
_PROPERTIES: Final = """\
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user};User:CN={user}
"""
_LOGIN: Final = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class SecuredListeners:
    """A port for each way to sign in. `user` may do everything, `stranger` may sign in and do nothing.

    The SSL listener wants a certificate of its clients. `certificate` is the broker's own.
    """

    authority: Authority
    certificate: CertificatePair
    user: str = "huiqun"
    stranger: str = "stranger"
    password: str = field(default_factory=lambda: _AWKWARD + secrets.token_urlsafe(12))
    ports: dict[ListenerName, int] = field(
        default_factory=lambda: {"SASL_SSL": free_port(), "SASL_PLAINTEXT": free_port(), "SSL": free_port()}
    )

    @classmethod
    def make(cls, directory: Path) -> "SecuredListeners":
        """With an authority and a certificate made for it."""
        authority = Authority(directory)
        return cls(authority, authority.issue("broker"))

    def bootstrap(self, listener: ListenerName) -> str:
        """Where a client reaches the listener."""
        return f"{LOOPBACK}:{self.ports[listener]}"

    @property
    def addresses(self) -> list[str]:
        """The listeners as Kafka's settings name them, to listen on and to advertise."""
        return [f"{name}://{LOOPBACK}:{port}" for name, port in self.ports.items()]

    @property
    def properties(self) -> str:
        """What is added to the broker's settings."""
        text = _PROPERTIES.format(keystore=self.certificate.both, truststore=self.authority.file, user=self.user)
        users = " ".join(f'user_{name}="{self.password}"' for name in (self.user, self.stranger))
        for listener in ("sasl_ssl", "sasl_plaintext"):
            prefix = f"listener.name.{listener}"
            text += f"{prefix}.plain.sasl.jaas.config={_LOGIN}.plain.PlainLoginModule required {users};\n"
            for mechanism in ("scram-sha-256", "scram-sha-512"):
                text += f"{prefix}.{mechanism}.sasl.jaas.config={_LOGIN}.scram.ScramLoginModule required;\n"
        return text

    @property
    def format_arguments(self) -> list[str]:
        """What founds the users who sign in by SCRAM."""
        arguments = []
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            for name in (self.user, self.stranger):
                arguments += ["--add-scram", f"{mechanism}=[name={name},password={self.password}]"]
        return arguments

    def security(self, listener: ListenerName, mechanism: SaslMechanism = "SCRAM-SHA-512") -> KafkaSecurity:
        """How `user` signs in on a listener."""
        trusted = self.authority.file if listener.endswith("SSL") else None
        if listener == "SSL":
            own = self.authority.issue(self.user)
            return KafkaSecurity("SSL", ca_file=trusted, certificate_file=own.certificate, key_file=own.key)
        return KafkaSecurity(listener, mechanism, self.user, SecretStr(self.password), trusted)

    def environment(self, listener: ListenerName, mechanism: SaslMechanism = "SCRAM-SHA-512") -> dict[str, str]:
        """What a service's process needs to use the listener, as `user`."""
        security = self.security(listener, mechanism)
        values = {
            "BOOTSTRAP": self.bootstrap(listener),
            "SECURITY_PROTOCOL": listener,
            "SASL_MECHANISM": security.mechanism,
            "USERNAME": security.username,
            "PASSWORD": self.password if security.password else None,
            "CA_FILE": security.ca_file,
            "CERTIFICATE_FILE": security.certificate_file,
            "KEY_FILE": security.key_file,
        }
        return {f"HUIQUN_KAFKA_{name}": str(value) for name, value in values.items() if value is not None}
