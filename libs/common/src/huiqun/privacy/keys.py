"""A secret key as a service holds it while it may be exchanged for another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RotatingKey:
    """What is made now is made under `current`; what was made under `previous` is still recognised."""

    current: bytes
    previous: bytes | None = None

    @property
    def accepted_keys(self) -> tuple[bytes, ...]:
        """The present key, and then the one before, if there is one."""
        return (self.current,) if self.previous is None else (self.current, self.previous)
