"""Patrols hold numbers, and nothing of a person."""

from collections.abc import Mapping
from typing import Final

from moderation.patrols.store import PATROLS

NOTHING_HELD: Final[Mapping[str, str]] = {PATROLS: "how many messages were judged how, by group"}
