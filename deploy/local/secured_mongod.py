"""What a mongod needs that speaks TLS only, and only with users who sign in."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from local.certificates import Authority, CertificatePair

_UNAUTHORIZED: Final = 13
_ROOT: Final = "root"


@dataclass(frozen=True)
class SecuredMongod:
    """An authority, the server's certificate, and `user`, who may read and write the databases and no more."""

    authority: Authority
    certificate: CertificatePair
    key_file: Path
    databases: tuple[str, ...]
    user: str = "huiqun"
    password: str = field(default_factory=lambda: f"p@ss/w:rd%+ {secrets.token_urlsafe(12)}")

    @classmethod
    def make(cls, directory: Path, *databases: str) -> "SecuredMongod":
        """With an authority, a certificate and the replica set's own key made for it."""
        authority = Authority(directory)
        key_file = directory / "replica-set.key"
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_hex(48), encoding="ascii")
        return cls(authority, authority.issue("mongod"), key_file, databases)

    @property
    def arguments(self) -> list[str]:
        """What is added to the server's command line."""
        return [
            *("--auth", "--keyFile", str(self.key_file), "--tlsMode", "requireTLS"),
            *("--tlsCertificateKeyFile", str(self.certificate.both), "--tlsCAFile", str(self.authority.file)),
            "--tlsAllowConnectionsWithoutCertificates",
        ]

    @property
    def tls(self) -> dict[str, Any]:
        """How the driver reaches it."""
        return {"tls": True, "tlsCAFile": str(self.authority.file)}

    async def create_users(self, url: str) -> None:
        """Found the administrator and, as that one, the user; nothing where they are there already."""
        try:
            async with AsyncMongoClient[dict[str, Any]](url, **self.tls) as client:
                await client.admin.command("createUser", _ROOT, pwd=self.password, roles=["root"])
        except OperationFailure as error:
            if error.code != _UNAUTHORIZED:
                raise
            return
        roles = [{"role": "readWrite", "db": name} for name in self.databases]
        async with AsyncMongoClient[dict[str, Any]](url, username=_ROOT, password=self.password, **self.tls) as client:
            await client.admin.command("createUser", self.user, pwd=self.password, roles=roles)

    def environment(self, url: str) -> dict[str, str]:
        """What a service's process needs to use it."""
        return {
            "HUIQUN_MONGO_URL": url,
            "HUIQUN_MONGO_USERNAME": self.user,
            "HUIQUN_MONGO_PASSWORD": self.password,
            "HUIQUN_MONGO_CA_FILE": str(self.authority.file),
        }
