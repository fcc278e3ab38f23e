"""Entries and accounts in words: what happened, from where to where."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.template import Library

from common.money import format_money
from ledger.models import Entry

register = Library()


class Kind(NamedTuple):
    """What an operation is called, and who stands outside the book when money comes or goes."""

    words: str
    icon: str
    outside: str = "Outside the book"


class Party(NamedTuple):
    """One end of a movement: an account (`mark` is `place` or `purpose`) or somebody outside."""

    words: str
    mark: str = ""


class Move(NamedTuple):
    """From where to where money went, and what that means on the other side of the balance."""

    source: Party
    target: Party
    direction: str
    link: str
    other_side: Party | None = None


class Reading(NamedTuple):
    """An entry as a page shows it; `move` is None when no money moved."""

    kind: Kind
    move: Move | None
    notes: list[str]


KINDS = {
    "GENESIS": Kind("The book begins", "link"),
    "DONATION_RECEIVED": Kind("Donation received", "in", "A donor"),
    "PROCESSING_FEE": Kind("Processing fee", "out", "Stripe"),
    "DONATION_REFUNDED": Kind("Refund", "out", "The donor"),
    "REFUND_FAILED": Kind("Refund came back", "in", "The donor’s bank"),
    "DISPUTE_OPENED": Kind("Dispute opened", "flag", "The donor’s bank"),
    "DISPUTE_FEE": Kind("Dispute fee", "out", "Stripe"),
    "DISPUTE_WON": Kind("Dispute won", "in", "The donor’s bank"),
    "DONATION_HELD": Kind("Held for review", "hold"),
    "HOLD_RELEASED": Kind("Hold released", "check"),
    "PAYOUT_SENT": Kind("Payout sent", "moved"),
    "PAYOUT_ARRIVED": Kind("Payout arrived", "bank"),
    "PAYOUT_RETURNED": Kind("Payout returned", "moved"),
    "PROVIDER_FEE": Kind("Provider fee", "out", "Stripe"),
    "OFFLINE_DONATION": Kind("Donation received offline", "in", "A donor"),
    "SPENT": Kind("Spent", "out", "A payee"),
    "FUND_TRANSFER": Kind("Moved between funds", "moved"),
    "RESERVE_TRANSFER": Kind("Moved between places", "moved"),
    "EXTERNAL_ACTIVITY": Kind("Activity outside Almoner", "info", "Outside Almoner"),
    "UNCLASSIFIED": Kind("Not yet classified", "info", "Not yet known"),
    "CORRECTION": Kind("Correction", "moved"),
    "ERASURE": Kind("Personal details erased", "eye"),
    "KEY_ROTATION": Kind("Signing key changed", "seal"),
    "BALANCE_ATTESTATION": Kind("Balance attested", "seal"),
    "REVIEW_ATTESTATION": Kind("Screening of a day", "eye"),
}
ACCOUNTS = {
    "stripe": "Stripe balance",
    "in_transit": "In transit to the bank",
    "held": "Held for review",
    "external": "Outside Almoner",
    "unclassified": "Not yet classified",
}
PLACES = ("stripe", "in_transit", "bank:", "reserve:", "onchain:")
FAMILIES = {"bank": "Bank", "reserve": "Reserve", "onchain": "On-chain", "fund": "Fund"}
SCREENED = {
    "screenings": "screenings",
    "challenged": "asked for work",
    "reviewed": "put before people",
    "blocked": "blocked",
    "holds": "held",
    "releases": "released",
    "refusals": "given back",
}
PLAIN_SLUGS = ("main", "general", "")


@register.filter
def operation_words(operation: str) -> str:
    """Return what an operation is called; one that is not known is shown as it is."""
    return _kind(operation).words


@register.filter
def account_words(account: str, names: Mapping[str, str]) -> str:
    """Return what an account is called; `names` has what people named themselves."""
    if account in names or account in ACCOUNTS:
        return names.get(account) or ACCOUNTS[account]
    family, _, slug = account.partition(":")
    words = FAMILIES.get(family, account)
    return words if slug in PLAIN_SLUGS else f"{words}: {slug.replace('-', ' ')}"


@register.filter
def account_mark(account: str) -> str:
    """Return which side an account is on: `place` or `purpose`."""
    return "place" if account.startswith(PLACES) else "purpose"


@register.simple_tag
def read_entry(
    entry: Entry, names: Mapping[str, str], donors: Mapping[int, str] | None = None
) -> Reading:
    """Return an entry in words; `donors` are the names that donors chose to show, by sequence."""
    kind = _kind(entry.operation)
    outside = Party((donors or {}).get(entry.sequence) or kind.outside)
    move = _move(entry, names, outside) if entry.amount else None
    return Reading(kind, move, _notes(entry))


def _kind(operation: str) -> Kind:
    return KINDS.get(operation) or Kind(operation, "info")


def _move(entry: Entry, names: Mapping[str, str], outside: Party) -> Move:
    debit, credit = (
        Party(account_words(account, names), account_mark(account))
        for account in (entry.debit, entry.credit)
    )
    match debit.mark, credit.mark:
        case "place", "purpose":
            return Move(outside, debit, "in", "for", credit)
        case "purpose", "place":
            return Move(credit, outside, "out", "out of", debit)
        case "place", "place":
            return Move(credit, debit, "moved", "for the same purposes")
        case _:
            return Move(debit, credit, "moved", "stays where it is")


def _notes(entry: Entry) -> list[str]:
    notes = []
    given = entry.metadata.get("presentment")
    if isinstance(given, dict) and not entry.operation.endswith("_FEE"):
        notes.append(f"{format_money(given['amount'], given['currency'])} before exchange")
    if entry.operation == "REVIEW_ATTESTATION":
        notes.append(_screened_in_words(entry.metadata))
    return notes


def _screened_in_words(said: Mapping[str, Any]) -> str:
    counted = ((said.get(name, 0), words) for name, words in SCREENED.items())
    counts = ", ".join(f"{count} {words}" for count, words in counted)
    return f"{said.get('day')}: {counts}"
