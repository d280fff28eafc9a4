"""TLS before a server that has none of its own, with a certificate of the test's choice."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from local.certificates import Authority, CertificatePair
from local.ports import LOOPBACK, free_port


@asynccontextmanager
async def tls_before(port: int, own: CertificatePair, clients_of: Authority | None = None) -> AsyncIterator[int]:
    """The port on which `port` is reached over TLS; with `clients_of`, by those alone whom that authority signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of.file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(LOOPBACK, port)
        await asyncio.gather(_copy(reader, questions), _copy(answers, writer))

    secured = free_port()
    server = await asyncio.start_server(serve, LOOPBACK, secured, ssl=context)
    try:
        yield secured
    finally:
        server.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError, RuntimeError):
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError, RuntimeError):
        sink.close()
