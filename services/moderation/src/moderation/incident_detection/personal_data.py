"""What the detection of incidents holds of people: nothing."""

from collections.abc import Mapping
from typing import Final

from moderation.incident_detection.store import PROPOSALS

NOTHING_HELD: Final[Mapping[str, str]] = {PROPOSALS: "which incidents were proposed, for a day"}
