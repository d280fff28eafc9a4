"""Asks the classifier about the messages whose policy wants it; it knows likeness only, so a person decides."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from huiqun.contracts.channel import Message, Role
from moderation.policies.model import Policy
from moderation.screening.model.classifier import Classifier
from moderation.screening.model.evidence import Evidence


def add_resemblance(
    evidence: list[Evidence],
    messages: Sequence[Message],
    policies: Sequence[Policy],
    classifier: Callable[[], Classifier],
) -> None:
    """Add to the evidence how much a customer's message resembles abuse, where that reaches its policy's threshold.

    `classifier` is called where there is a message to ask about: most installations never load it.
    """
    asked = [
        (index, policy.rules.classifier.threshold)
        for index, (message, policy) in enumerate(zip(messages, policies, strict=True))
        if policy.rules.classifier is not None and message.text and message.sender.role is Role.CUSTOMER
    ]
    if not asked:
        return
    scores = classifier().score_batch([messages[index].text for index, _ in asked])
    for (index, threshold), score in zip(asked, scores, strict=True):
        if score >= threshold:
            evidence[index] = replace(evidence[index], resemblance=score)
