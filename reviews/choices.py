"""How cases of each kind can be decided, and what follows, in words."""

from dataclasses import dataclass
from datetime import timedelta

from reviews.models import Case, Hold

Kind = Case.Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One way to decide a case: what its button says, and what then happens, in a sentence.

    `in_bulk` tells whether many cases may be decided so at once, with one reason.
    """

    key: str
    label: str
    consequence: str
    in_bulk: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Tell whether nothing is moved or freed by it, as `reviews_decision_counts_v1` has it."""
        return self.key in {"close", "keep"}


CLOSE = Choice("close", "Close", "Nothing else happens: it says that this was dealt with.", True)
CHARGE = Choice(
    "release",
    "Release",
    "The authorised card is charged now, and the gift goes into the public book like any other.",
)
LET_GO = Choice(
    "refuse",
    "Do not take it",
    "The authorised card is let go, so that nothing is charged. The donor’s page says that the "
    "gift could not be accepted, and whom to write to.",
)
RELEASE = Choice(
    "release",
    "Release",
    "The money goes back from “held” to its fund in the public book, and the gift counts.",
)
GIVE_BACK = Choice(
    "refuse",
    "Give back",
    "All that is held is refunded to the card it came from, and the gift does not count. Stripe "
    "keeps the processing fee, which the fund bears.",
)
PAY_OUT = Choice(
    "release",
    "Let payouts go on",
    "Stripe pays out to the organisation’s bank again, all but single gifts that are held, and its "
    "owners get a mail. Until somebody decides so, nothing is paid out.",
)
KEEP = Choice("keep", "Keep the gift", "The gift goes on counting, and no money moves.", True)
REFUND = Choice(
    "refuse",
    "Give back",
    "The gift is refunded to the card it came from. Stripe keeps the processing fee.",
)
APPROVE = Choice(
    "approve",
    "Approve",
    "The organisation is public from now on: its page, its book with the genesis, its signing key "
    "and its general fund are there at once, for ever. Its owners get a mail.",
)
ASK = Choice(
    "ask",
    "Ask for more",
    "The application goes back to its owners with what you write as a question, by mail. Sent in "
    "again, it is a new case.",
)
REJECT = Choice(
    "reject",
    "Reject",
    "The organisation stays hidden, and its owners get a mail with what you write as the reason. "
    "Its address and its Stripe account stay taken; this case can be opened again.",
)
AGAIN = Choice(
    "again",
    "Process again",
    "The event goes back into the queue and is worked on within a minute. Should it fail again as "
    "often, that is a new case.",
)
LET_REST = Choice(
    "close",
    "Let it rest",
    "The event stays stored, and nothing is done for it. What it moved on the Stripe balance is "
    "booked all the same, by the hourly sweep.",
    in_bulk=True,
)
ENABLE = Choice(
    "enable",
    "Enable again",
    "Messages are sent to this address from now on. What happened meanwhile is not made up for.",
)
STAYS_OFF = Choice(
    "close",
    "Leave it disabled",
    "Nothing is sent to this address until its organisation enables it in its console.",
    in_bulk=True,
)
ABOUT_A_GIFT = (Kind.GIFT, Kind.FRAUD_WARNING)
CHOICES: dict[str, tuple[Choice, ...]] = {
    Kind.APPLICATION: (APPROVE, ASK, REJECT),
    Kind.PARKED_EVENT: (AGAIN, LET_REST),
    Kind.SUBSCRIBER: (ENABLE, STAYS_OFF),
}
# What is decided on these brings something about; the others are only closed.
MOVING_KINDS = frozenset({*ABOUT_A_GIFT, *CHOICES})
DUE_AFTER: dict[str, timedelta] = {
    Kind.GIFT: timedelta(days=2),
    Kind.FRAUD_WARNING: timedelta(hours=24),
    Kind.CARD_TESTING: timedelta(hours=4),
    # Whoever verifies such a book is not told VALID.
    Kind.AUDIT: timedelta(hours=4),
    Kind.SEALING: timedelta(hours=4),
    Kind.WITNESS: timedelta(hours=4),
    Kind.APPLICATION: timedelta(days=5),
    Kind.ACCOUNT: timedelta(days=2),
}


def choices_of(case: Case) -> tuple[Choice, ...]:
    """Return how a case can be decided; most are only closed."""
    if _holds_payouts(case):
        return (PAY_OUT,)
    if case.kind not in ABOUT_A_GIFT or not case.gift:
        return CHOICES.get(case.kind, (CLOSE,))
    hold = Hold.objects.filter(case=case).first()
    if hold is None:
        return KEEP, REFUND
    return (CHARGE, LET_GO) if hold.kind == Hold.Kind.CAPTURE else (RELEASE, GIVE_BACK)


def needs_two(case: Case) -> bool:
    """Tell whether two people must agree before the money of a case is moved or freed."""
    return _holds_payouts(case) or (case.people_needed > 1 and case.kind in MOVING_KINDS)


def choice_of(case: Case, key: str) -> Choice | None:
    """Return one way to decide a case, if it is one."""
    return next((choice for choice in choices_of(case) if choice.key == key), None)


def _holds_payouts(case: Case) -> bool:
    return case.kind == Kind.ACCOUNT and hasattr(case, "payout_hold")
