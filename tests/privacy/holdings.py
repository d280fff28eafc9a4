"""What services say of their collections: what each holds of a person, or that it holds nothing."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from huiqun.privacy.erasure.shared import NOTHING_HELD
from tests.directories import detached_directory


def declared_empty(module: Any) -> dict[str, str]:
    """The collections that hold nothing of a person, and why, by what the slices say."""
    package = importlib.import_module(module.__name__.partition(".")[0])
    found = dict(NOTHING_HELD)
    for slice_ in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if slice_.ispkg and (data := _personal_data(slice_.name)) is not None:
            found |= getattr(data, "NOTHING_HELD", {})
    return found


def _personal_data(slice_: str) -> ModuleType | None:
    names = [each.name for each in pkgutil.iter_modules(importlib.import_module(slice_).__path__)]
    return importlib.import_module(f"{slice_}.personal_data") if "personal_data" in names else None


def named_by_holdings(module: Any) -> set[str]:
    holdings = module.person_requests(detached_directory()).holdings
    return {collection for each in holdings for collection in each.collections}
