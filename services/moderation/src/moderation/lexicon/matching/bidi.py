"""Puts a text into its visual order: a bidirectional override makes a reader see a part of it turned around."""

import re
from typing import Final

RIGHT_TO_LEFT_OVERRIDE: Final = "\u202e"
"""What follows is shown from right to left."""

# Up to the sign that ends it, or the end of the paragraph.
_OVERRIDDEN: Final = re.compile("\u202e([^\u202c\n\r\u2029]*)")


def list_visual_order(text: str) -> list[int]:
    """Return the offsets of the characters of `text` in the order in which they are shown."""
    order = list(range(len(text)))
    for part in _OVERRIDDEN.finditer(text):
        start, end = part.span(1)
        order[start:end] = reversed(order[start:end])
    return order
