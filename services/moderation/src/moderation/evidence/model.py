"""What a text shows, whoever wrote it: words, personal data, links, contacts, likeness; for a whole batch at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from huiqun.contracts.channel import MAX_TEXT, EditedMessage, Message, MessageEdited, MessageReceived, Role
from huiqun.privacy.detection import PersonalData, find_personal_data
from huiqun.privacy.masking import mask_spans
from huiqun.privacy.text import mask_text
from moderation.archive.model import MessageRef
from moderation.classifier.model import Classifier
from moderation.contacts.model import FoundSpan, find_contacts, find_links, may_lead_outside
from moderation.lexicon.matching.matcher import Lexicon, LexiconHit
from moderation.policies.model import Policy
from moderation.standings.model import Standing, standing_key


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

    hits: tuple[LexiconHit, ...] = ()
    personal: tuple[PersonalData, ...] = ()
    links: tuple[FoundSpan, ...] = ()
    contacts: tuple[FoundSpan, ...] = ()
    resemblance: float | None = None
    left_out: int = 0
    address_is_cut: bool = False
    quoted: QuotedEvidence | None = None

    def masked(self, text: str) -> str:
        """The text without the personal data in it."""
        return mask_text(mask_spans(text, self.personal)) if self.personal else text


NO_EVIDENCE = Evidence()


def gather_evidence(messages: Sequence[Message], masks: Sequence[int], lexicon: Lexicon, today: date) -> list[Evidence]:
    """The evidence in each message; `masks[i]` are the lexicon's bits that the policy of `messages[i]` uses."""
    texts = [message.text for message in messages]
    found = lexicon.scan_texts(texts, masks, today)
    return [_find_evidence(message, hits) for message, hits in zip(messages, found, strict=True)]


def _find_evidence(message: Message, hits: tuple[LexiconHit, ...]) -> Evidence:
    text = message.text
    if not text and message.url is None:
        return NO_EVIDENCE
    personal = find_personal_data(text)
    links: list[FoundSpan] = []
    contacts: list[FoundSpan] = []
    if may_lead_outside(text):
        links, contacts = find_links(text), find_contacts(text)
    if message.url is not None:
        # What the message links to stands nowhere in its text.
        links = [*links, *(FoundSpan(0, 0, link.value) for link in find_links(message.url))]
    if not (hits or personal or links or contacts):
        return NO_EVIDENCE
    return Evidence(hits, tuple(personal), tuple(links), tuple(contacts))


def add_likeness(
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


WINDOW_MESSAGES: Final = 3
WINDOW_TIME: Final = timedelta(seconds=30)


def join_message_window(earlier: Sequence[tuple[datetime, str]], sent_at: datetime, text: str) -> tuple[str, ...]:
    """Return the texts to read as one, `text` last. `earlier` are the member's messages in this group, oldest first;
    only the last of them within the time before `sent_at` count. Alone, a text is no window: the result is empty."""
    recent = [said for at, said in earlier[1 - WINDOW_MESSAGES :] if timedelta() <= sent_at - at <= WINDOW_TIME]
    return (*recent, text) if recent else ()


# Longer texts are sentences, whose ends and beginnings meet by accident.
_MAX_FRAGMENT_LENGTH = 6


def list_message_windows(messages: Sequence[Message], standings: Mapping[str, Standing]) -> dict[int, tuple[str, ...]]:
    """The short texts to be read as one, by the index of the message that ends them; remembers each for the next."""
    windows: dict[int, tuple[str, ...]] = {}
    for index, message in enumerate(messages):
        standing = standings.get(standing_key(message.group_id, message.sender.member_id))
        if standing is None or isinstance(message, EditedMessage):
            continue
        if 0 < len(message.text) <= _MAX_FRAGMENT_LENGTH and "@" not in message.text:
            if joined := join_message_window(standing.short_texts, message.sent_at, message.text):
                windows[index] = joined
            standing.short_texts = [*standing.short_texts, (message.sent_at, message.text)][1 - WINDOW_MESSAGES :]
        elif standing.short_texts:
            standing.short_texts = []
    return windows


def add_split_words(
    evidence: list[Evidence],
    windows: Mapping[int, tuple[str, ...]],
    masks: Sequence[int],
    lexicon: Lexicon,
    today: date,
) -> None:
    """Add to the evidence in each message the words that it completes."""
    if not windows:
        return
    found = lexicon.scan_message_windows(list(windows.values()), [masks[index] for index in windows], today)
    for index, hits in zip(windows, found, strict=True):
        if hits:
            evidence[index] = replace(evidence[index], hits=(*evidence[index].hits, *hits))


def quoted_message_of(event: MessageReceived | MessageEdited, evidence: Evidence) -> MessageRef | None:
    """The message under whose id something was found as a quotation; None without one, or without an id."""
    quoted = event.data.quoted
    if evidence.quoted is None or quoted is None or quoted.message_id is None:
        return None
    return MessageRef(quoted.message_id, event.data.group_id, event.source)


def compare_quotation(evidence: Evidence, message: Message, written: Collection[tuple[str, str]]) -> Evidence:
    """Leave out of the evidence what somebody else has written as it is quoted, and note what the sender has.

    `written` are the members and masked texts that there are under the quoted message's id.
    """
    if evidence.quoted is None or message.quoted is None:
        return evidence
    # Platforms cut quotations short, and treat white space as they like.
    said = "".join(mask_text(message.quoted.text[:MAX_TEXT]).split()).rstrip("….")
    others = [text for member_id, text in written if member_id != message.sender.member_id]
    is_others = any(said in "".join(text.split()) for text in others)
    return replace(evidence, quoted=None if is_others else replace(evidence.quoted, is_own=True))
