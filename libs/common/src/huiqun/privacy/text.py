"""The door for what people write: types that mask personal data in a text on entry, or refuse it, or say why not."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from huiqun.privacy.detection import PersonalDataKind, find_personal_data
from huiqun.privacy.masking import mask_spans

#: What the JSON Schema of a text says of personal data in it.
SCHEMA_KEY: Final = "x-personal-data"
# Ids and digests in hexadecimal hold runs of digits by chance; what is made by us, or by a hash, is nobody's number.
_HEXADECIMAL: Final = re.compile(r"(?:[a-z_.]{1,32}[-:/])?(?=[0-9-]*[a-f])[0-9a-f-]{32,64}")
_NAMES: Final = {
    PersonalDataKind.ID_CARD: "an ID card's number",
    PersonalDataKind.EMAIL: "an e-mail address",
    PersonalDataKind.BANK_CARD: "a bank card's number",
    PersonalDataKind.MOBILE: "a mobile number",
}


def mask_text(text: str) -> str:
    """Mask all personal data in a text, of which nothing is found the second time; the length stays."""
    while finds := find_personal_data(text):
        # What is left of two numbers in a row can look like a third one.
        text = mask_spans(text, finds)
    return text


def mask_values(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Mask every text in a JSON-like value, keys included, however deep; our own ids stay as they are."""
    if isinstance(value, str):
        return value if _HEXADECIMAL.fullmatch(value) else mask_text(value)
    if isinstance(value, dict):
        return {mask_values(name): mask_values(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask_values(inner) for inner in value]
    return value


def refuse_personal_data(text: str) -> str:
    """Return the text, a PydanticCustomError if personal data stands in it; for what is compared, and so not masked."""
    finds = [] if _HEXADECIMAL.fullmatch(text) else find_personal_data(text)
    if finds:
        raise PydanticCustomError("personal_data", f"must not contain {_NAMES[finds[0].kind]}")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """The limits of a text, in characters."""

    treatment: ClassVar[str]

    max_length: int | None = None
    min_length: int | None = None
    strip_whitespace: bool = False
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(
            max_length=self.max_length,
            min_length=self.min_length,
            strip_whitespace=self.strip_whitespace,
            pattern=self.pattern,
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), SCHEMA_KEY: self.treatment}


class MaskedText(_Text):
    """Prose: `Annotated[str, MaskedText(max_length=1_000)]` is masked as it comes in, so that nobody behind has to."""

    treatment = "masked"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Mask after the limits are checked."""
        inner = _Text.__get_pydantic_core_schema__(self, source, handler)
        return core_schema.no_info_after_validator_function(mask_text, inner)


class ComparedText(_Text):
    """A word or name that something is compared with: masking would break it, so personal data in it is refused."""

    treatment = "refused"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse after the limits are checked."""
        inner = _Text.__get_pydantic_core_schema__(self, source, handler)
        return core_schema.no_info_after_validator_function(refuse_personal_data, inner)


class RawText(_Text):
    """A text that is judged, looked up or tried out as it is; whoever stores or logs any of it masks it first."""

    treatment = "raw"
