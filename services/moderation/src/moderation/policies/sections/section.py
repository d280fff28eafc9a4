"""What every section of a policy is: values that an operator writes, and that know what is wrong with them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from huiqun.contracts.moderation import Verdict
from huiqun.privacy.text import ComparedText

Category = Annotated[str, ComparedText(pattern=r"^[\w-]{1,64}$")]
Minutes = Annotated[int, Field(ge=1, le=43_200)]
Outcome = Literal[Verdict.WARN, Verdict.REVIEW, Verdict.BLOCK]


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """Why well-formed rules make no sense; `path` leads to the place, from the section that lists the fault."""

    path: tuple[str | int, ...]
    reason: str


class PolicySection(BaseModel):
    """Values an operator writes: a field that is not known is an error, because it would do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def list_faults(self) -> Iterator[PolicyFault]:
        """Find what would stop everybody, or do nothing: here, and in the sections inside."""
        for name in type(self).model_fields:
            inner = getattr(self, name)
            if isinstance(inner, PolicySection):
                for fault in inner.list_faults():
                    yield replace(fault, path=(name, *fault.path))
