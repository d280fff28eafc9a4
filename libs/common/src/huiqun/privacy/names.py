"""Names of people and their ids on other platforms: sealed values, of which a placeholder is seen."""

from typing import Any, ClassVar, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from huiqun.privacy.text import SCHEMA_KEY, mask_text

#: The context of a serialisation for a topic of the channel, which is where names come from.
AS_WRITTEN: Final = "sealed values as written"


class SealedText:
    """A text that is a placeholder when it is shown, formatted, logged or written as JSON. Values compare as usual."""

    __slots__ = ("_value",)

    placeholder: ClassVar[str]
    longest: ClassVar[int | None] = None

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text; only for a store that is listed as open, and for an audited reading."""
        return self._value

    def __bool__(self) -> bool:
        """Tell whether there is a text at all."""
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealedText) and type(other) is type(self) and other._value == self._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __str__(self) -> str:
        return self.placeholder if self._value else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take a text or a sealed one; as JSON the text leaves only for a topic of the channel."""
        seal = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(max_length=cls.longest))
        return core_schema.json_or_python_schema(
            json_schema=seal,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), seal]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _written, info_arg=True, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {} if cls.longest is None else {"maxLength": cls.longest}
        return {"type": "string", **limits, SCHEMA_KEY: "sealed"}


class PersonName(SealedText):
    """What somebody calls themselves."""

    __slots__ = ()

    placeholder = "[name]"
    longest = 256

    def reveal(self) -> str:
        """Return the name, with numbers and addresses in it masked; see `Sealed.reveal`."""
        return mask_text(self._value)


class PlatformId(SealedText):
    """An id that a person has on a platform, such as a unionid."""

    __slots__ = ()

    placeholder = "[id]"


def _written(sealed: SealedText, info: core_schema.SerializationInfo) -> str:
    return sealed._value if info.context is AS_WRITTEN else str(sealed)  # noqa: SLF001 - the seal's other half
