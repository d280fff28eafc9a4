"""TLS as a client: whom to trust, and who we are."""

import ssl
from pathlib import Path

from pydantic import SecretStr


def create_tls_context(
    ca_file: Path | None = None,
    certificate_file: Path | None = None,
    key_file: Path | None = None,
    key_password: SecretStr | None = None,
) -> ssl.SSLContext:
    """A context that verifies the server's certificate and name; raises OSError or ssl.SSLError over an unfit file.

    Without `ca_file` the authorities of the system are trusted. `certificate_file` may hold the key as well.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    if certificate_file is not None:
        # Without a password, an encrypted key would be asked for at the terminal.
        password = key_password.get_secret_value() if key_password is not None else ""
        context.load_cert_chain(certificate_file, key_file, password)
    return context
