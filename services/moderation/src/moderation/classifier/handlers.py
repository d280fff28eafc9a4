"""The classifier that Huiqun comes with."""

from functools import cache
from importlib.resources import files

from moderation.classifier.model import Classifier


@cache
def load_shipped_classifier() -> Classifier:
    """Read its weights, which `python -m benchmarks.train_classifier` wrote; once in a process, at the first need."""
    content = files(__package__).joinpath("data", "classifier.csv").read_text(encoding="utf-8")
    return Classifier.parse(content)
