"""The interface itself: what it says of its routes, and what becomes of a request that is sent twice."""

from collections.abc import AsyncIterator

from demo.people.morning import Morning


async def read_interface(morning: Morning) -> AsyncIterator[str]:
    """Each route says what it does; a write that is sent again is done once."""
    paths = (await morning.mei.read("/openapi.json"))["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    if not all(operation.get("summary") for operation in operations):
        yield "a route does not say what it does"
    morning.log_deed(morning.mei, "reads the interface", f"{len(operations)} operations, each with a summary")
    draft = {"rules": {"quota": {"per_day": 6}}, "note": "试写"}
    first, again = await morning.mei.post_twice("/policies/draft/versions", draft)
    versions = (await morning.mei.read("/policies/draft/versions"))["items"]
    if first != again or len(versions) != 1:
        yield f"a request that was sent twice made {len(versions)} versions"
    morning.log_deed(morning.mei, "sends a request twice", "done once, and answered twice")
