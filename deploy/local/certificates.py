"""An authority of a stack's own, made anew each time: nothing it signs is worth anything elsewhere."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.ports import LOOPBACK

HERE: Final = (LOOPBACK, "localhost")
_AN_HOUR: Final = timedelta(hours=1)
_LIFE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate and its key in PEM, apart and in one file."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates; `file` is its own, which whoever is to trust it gets."""

    def __init__(self, directory: Path, name: str = "huiqun-local") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        own = (
            x509.CertificateBuilder(self._name, self._name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _LIFE)
            .not_valid_after(now + _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, hosts: tuple[str, ...] = HERE, *, expired: bool = False, password: str | None = None
    ) -> CertificatePair:
        """A certificate for the hosts, over an hour ago if `expired`; the key is encrypted under the password."""
        key = ec.generate_private_key(ec.SECP256R1())
        end = datetime.now(UTC) + (-_AN_HOUR if expired else _LIFE)
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        certificate = (
            x509.CertificateBuilder(self._name, _named(name), key.public_key(), x509.random_serial_number())
            .not_valid_before(end - _LIFE - _AN_HOUR)
            .not_valid_after(end)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        pair = CertificatePair(*(self._directory / f"{name}{suffix}" for suffix in (".crt", ".key", ".pem")))
        encryption = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        public = certificate.public_bytes(serialization.Encoding.PEM)
        for file, content in ((pair.certificate, public), (pair.key, secret), (pair.both, secret + public)):
            file.touch(mode=0o600)
            file.write_bytes(content)
        return pair


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
