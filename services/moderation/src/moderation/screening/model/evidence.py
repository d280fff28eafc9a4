"""What a text shows, whoever wrote it: words, personal data, links, contacts. Gathered for a whole batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huiqun.contracts.channel import Message
from huiqun.privacy.detection import PersonalData, find_personal_data
from huiqun.privacy.masking import mask_spans
from huiqun.privacy.text import mask_text
from moderation.lexicon.model.matching import Hit, Lexicon
from moderation.screening.model.contacts import Span, find_contacts, find_links, may_lead_outside


@dataclass(frozen=True, slots=True)
class QuotedEvidence:
    """What was found in what a message quotes; `is_own` says that nobody but the sender has written it."""

    found: "Evidence"
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a message; spans are offsets into the original text.

    `resemblance` is the probability of abuse, where the policy asks for it and finds it worth a look. `left_out` is how
    many characters of the text nobody looked at, because it is too long.
    """

    hits: tuple[Hit, ...] = ()
    personal: tuple[PersonalData, ...] = ()
    links: tuple[Span, ...] = ()
    contacts: tuple[Span, ...] = ()
    resemblance: float | None = None
    left_out: int = 0
    address_is_cut: bool = False
    quoted: QuotedEvidence | None = None

    def masked(self, text: str) -> str:
        """The text without the personal data in it."""
        return mask_text(mask_spans(text, self.personal)) if self.personal else text


NOTHING = Evidence()


def gather(messages: Sequence[Message], masks: Sequence[int], lexicon: Lexicon, today: date) -> list[Evidence]:
    """The evidence in each message; `masks[i]` are the lexicon's bits that the policy of `messages[i]` uses."""
    texts = [message.text for message in messages]
    found = lexicon.scan(texts, masks, today)
    return [_evidence(message, hits) for message, hits in zip(messages, found, strict=True)]


def _evidence(message: Message, hits: tuple[Hit, ...]) -> Evidence:
    text = message.text
    if not text and message.url is None:
        return NOTHING
    personal = find_personal_data(text)
    links: list[Span] = []
    contacts: list[Span] = []
    if may_lead_outside(text):
        links, contacts = find_links(text), find_contacts(text)
    if message.url is not None:
        # What the message links to stands nowhere in its text.
        links = [*links, *(Span(0, 0, link.value) for link in find_links(message.url))]
    if not (hits or personal or links or contacts):
        return NOTHING
    return Evidence(hits, tuple(personal), tuple(links), tuple(contacts))
