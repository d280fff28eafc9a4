"""Which errors pass by themselves, and how long to wait between tries."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, stop_never
from tenacity.wait import wait_random_exponential

from huiqun.runtime.misconfiguration import MisconfigurationError
from huiqun.store import explain_store_error
from huiqun.store import is_transient as store_is_transient
from huiqun.telemetry import describe_error, metrics

T = TypeVar("T")
OnRetry = Callable[[BaseException], None]
IsRetryable = Callable[[BaseException], bool]
_log = structlog.get_logger(__name__)


def is_transient(error: BaseException) -> bool:
    """Whether the store or the broker may take the same work later."""
    if isinstance(error, MessageSizeTooLargeError):
        return False
    return isinstance(error, KafkaError | ConnectionError | TimeoutError) or store_is_transient(error)


async def retry_forever(
    attempt: Callable[[], Awaitable[T]],
    *,
    name: str,
    on_retry: OnRetry | None = None,
    retry_on: IsRetryable = is_transient,
) -> T:
    """Run `attempt`, again for as long as it takes while its error is one that passes; others are raised at once."""
    retrying = AsyncRetrying(
        retry=retry_if_exception(retry_on),
        wait=wait_random_exponential(multiplier=0.05, max=3),
        stop=stop_never,
        before_sleep=_noting(name, on_retry),
        reraise=True,
    )
    return await retrying(attempt)


async def retry_for(
    seconds: float, attempt: Callable[[], Awaitable[T]], *, name: str, retry_on: IsRetryable = is_transient
) -> T:
    """Run `attempt`, again while its error is one that passes, and raise the last one after `seconds`."""
    retrying = AsyncRetrying(
        retry=retry_if_exception(retry_on),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        stop=stop_after_delay(seconds),
        before_sleep=_noting(name, None),
        reraise=True,
    )
    return await retrying(attempt)


def _noting(name: str, on_wait: OnRetry | None) -> Callable[[RetryCallState], None]:
    def note(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        metrics.RETRIES.labels(consumer=name, error=metrics.error_label(error)).inc()
        known = error if error is None or isinstance(error, MisconfigurationError) else explain_store_error(error)
        if state.attempt_number == 1 or state.attempt_number % 10 == 0:
            said = describe_error(error) if known is None and error is not None else str(known)
            _log.warning("try_again", part=name, attempt=state.attempt_number, error=said)
        if on_wait is not None and error is not None:
            on_wait(known or error)

    return note
