"""Why a broker that answers does not let us in. aiokafka only logs it, so it is found out by connecting once more."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from huiqun.kafka.security import KafkaSecurity
from huiqun.runtime.misconfiguration import MisconfigurationError

if TYPE_CHECKING:
    from huiqun.kafka import KafkaOptions

_PROBE_SECONDS: Final = 2.0
_MOST_ADDRESSES: Final = 6
# What OpenSSL calls them: not yet valid and expired; names that do not match.
_OUT_OF_DATE: Final = {9: "is not valid yet", 10: "has expired"}
_OTHER_NAME: Final = frozenset({62, 63, 64})
_UNREACHABLE: Final = "does not answer us: its advertised.listeners must name an address that we can reach"

NOT_AUTHORIZED: Final = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)

Address = tuple[str, int]


class BrokerRefusesError(MisconfigurationError, KafkaError):  # type: ignore[misc] # aiokafka is untyped
    """A broker answers and does not let us in as we are."""

    def __str__(self) -> str:
        return str(self.args[0])


@asynccontextmanager
async def explain_refusal(options: "KafkaOptions") -> AsyncIterator[None]:
    """Raise the reason in place of an error that only says that no broker could be reached."""
    try:
        yield
    except NOT_AUTHORIZED as error:
        raise describe_missing_rights(error, options) from error
    except KafkaError as error:
        refusal = await find_refusal(options) if not isinstance(error, MisconfigurationError) else None
        if refusal is None:
            raise
        raise refusal from error


def describe_missing_rights(error: KafkaError, options: "KafkaOptions") -> BrokerRefusesError:
    """That we may not read, in words that say what to grant."""
    what = "the topic" if isinstance(error, TopicAuthorizationFailedError) else "the group"
    names = ", ".join(str(each) for each in error.args) or f"{options.prefix}huiqun.*"
    return BrokerRefusesError(
        f"Kafka at {options.bootstrap} does not let us use {what} {names}: "
        f"grant {options.security.username or 'everybody'} Read on it"
    )


async def find_refusal(options: "KafkaOptions") -> BrokerRefusesError | None:
    """Why the brokers do not let us in; None where they do, or where none answers. Takes at most 2 s."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await _probe(options)
    except TimeoutError:
        return None


async def _probe(options: "KafkaOptions") -> BrokerRefusesError | None:
    """Try the addresses that were set, then those that the brokers say they are at."""
    arguments = options.client_arguments()
    given = [(host, port) for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers"))]
    advertised: list[Address] = []
    for address in given[:_MOST_ADDRESSES]:
        try:
            advertised = await _brokers(address, arguments)
        except (KafkaError, OSError) as error:
            if sentence := _reason(error, options.security):
                return BrokerRefusesError(f"Kafka at {address[0]}:{address[1]} {sentence}")
    for address in [each for each in advertised if each not in given][:_MOST_ADDRESSES]:
        try:
            await _brokers(address, arguments)
        except (KafkaError, OSError) as error:
            where = f"Kafka at {options.bootstrap} says that a broker of it is at {address[0]}:{address[1]}"
            sentence = _reason(error, options.security) or _UNREACHABLE
            return BrokerRefusesError(f"{where}, which {sentence}")
    return None


async def _brokers(address: Address, arguments: dict[str, Any]) -> list[Address]:
    """The brokers of a cluster as one of them names them; raises what keeps us out."""
    connection: AIOKafkaConnection = await create_conn(
        *address, client_id="huiqun-probe", request_timeout_ms=int(_PROBE_SECONDS * 1000), **arguments
    )
    try:
        answer = await connection.send(MetadataRequest([]))
        return [(broker[1], broker[2]) for broker in answer.brokers]
    finally:
        connection.close()


def _reason(error: BaseException, security: KafkaSecurity) -> str | None:
    """What to say of an error, and what to do; None for a broker that is merely away."""
    known = _sasl_reason(error, security)
    if known is not None:
        return known
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _tls_reason(cause, security)
        cause = cause.__cause__
    if isinstance(error, ConnectionResetError) and security.uses_tls:  # in the middle of TLS's own greeting
        return _speaks_no_tls(security)
    if isinstance(error, KafkaConnectionError | ConnectionResetError):
        certificate = "a certificate of ours (HUIQUN_KAFKA_CERTIFICATE_FILE and HUIQUN_KAFKA_KEY_FILE), or "
        wanted = certificate if security.uses_tls and security.certificate_file is None else ""
        return (
            f"closes the connection at once: its listener wants {wanted}another HUIQUN_KAFKA_SECURITY_PROTOCOL than "
            f"{security.protocol}, unless it is just stopping"
        )
    return None


def _sasl_reason(error: BaseException, security: KafkaSecurity) -> str | None:
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"refuses the user name or the password ({security.mechanism}): "
            "set HUIQUN_KAFKA_USERNAME and HUIQUN_KAFKA_PASSWORD to those of a user it knows"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not offer {security.mechanism}: set HUIQUN_KAFKA_SASL_MECHANISM to one that it does"
    if isinstance(error, IllegalSaslStateError):
        return (
            f"lets nobody sign in on this port: HUIQUN_KAFKA_SECURITY_PROTOCOL is {security.protocol}, "
            f"and {security.protocol.removeprefix('SASL_')} is what its listener speaks"
        )
    return None


def _tls_reason(error: ssl.SSLError, security: KafkaSecurity) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OUT_OF_DATE:
            return f"shows a certificate that {_OUT_OF_DATE[error.verify_code]}: it needs a new one"
        if error.verify_code in _OTHER_NAME:
            return (
                "shows a certificate for another name: set HUIQUN_KAFKA_BOOTSTRAP to the name in it, "
                "or give the broker one with this name as its subjectAltName"
            )
        return (
            f"shows a certificate that we do not trust ({error.verify_message}): set HUIQUN_KAFKA_CA_FILE "
            "to the certificate of the authority that signed it"
        )
    reason = error.reason or ""
    if "CERTIFICATE_REQUIRED" in reason or (security.certificate_file is None and "ALERT" in reason):
        return f"asks for a certificate of ours ({reason}): set HUIQUN_KAFKA_CERTIFICATE_FILE and HUIQUN_KAFKA_KEY_FILE"
    if "ALERT" in reason:
        return f"does not accept our certificate ({reason}): set HUIQUN_KAFKA_CERTIFICATE_FILE to one that it trusts"
    return _speaks_no_tls(security)


def _speaks_no_tls(security: KafkaSecurity) -> str:
    return (
        f"does not speak TLS on this port: HUIQUN_KAFKA_SECURITY_PROTOCOL is {security.protocol}, "
        "so set HUIQUN_KAFKA_BOOTSTRAP to the port of such a listener"
    )
