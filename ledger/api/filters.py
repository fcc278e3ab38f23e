"""Which entries of a ledger are asked for."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from rest_framework.filters import BaseFilterBackend

from common.paging import bad_parameter
from ledger.errors import NotYetThere
from ledger.models import AccountQuerySet, Book, EntryQuerySet
from ledger.operations import MoneyOperation

# RFC 3339: a date, or a date-time with its offset.
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)
SEQUENCE = re.compile(r"(0|[1-9][0-9]{0,15})\Z", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)
HINT = "Write a date (2026-11-21) or a date-time (2026-11-21T03:35:00Z; a plus sign as %2B)."
DESCRIPTIONS = {
    "operation": "Entries of this kind only.",
    "since": "What occurred at this moment or later; a date means its first second, UTC.",
    "until": "What occurred at this moment or before; a date means its last second, UTC.",
    "at": "As it was after what was recorded by this moment; a date means its last second, UTC.",
    "at_sequence": "As it was after this entry.",
    "from_sequence": "From this entry on: the size of the book that you have, or 0 for all of it.",
    "currency": "ISO 4217; left out, the organisation's own.",
}


class EntryFilter(BaseFilterBackend):
    """The filters `operation`, `since` and `until`; ill-formed ones are refused."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        """Return the entries that are asked for. Raises `ValidationError`."""
        return filter_entries(queryset, request.query_params.dict())

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the filters."""
        schemas: dict[str, dict[str, Any]] = {
            "operation": {"type": "string", "enum": [str(name) for name in MoneyOperation]},
            "since": {"type": "string", "examples": ["2026-11-21"]},
            "until": {"type": "string", "examples": ["2026-11-21T03:35:00Z"]},
        }
        return [
            {"name": name, "in": "query", "schema": schema, "description": DESCRIPTIONS[name]}
            for name, schema in schemas.items()
        ]


def filter_entries(entries: EntryQuerySet, parameters: Mapping[str, str]) -> EntryQuerySet:
    """Return the entries that query parameters ask for. Raises `ValidationError`."""
    if "operation" in parameters:
        entries = entries.filter(operation=_operation(parameters["operation"]))
    if "since" in parameters:
        moment = _moment("since", parameters["since"], time.min)
        entries = entries.filter(occurred_at__gte=moment)
    if "until" in parameters:
        moment = _moment("until", parameters["until"], time.max)
        entries = entries.filter(occurred_at__lte=moment)
    return entries


def filter_account(accounts: AccountQuerySet, name: str, currency: str) -> AccountQuerySet:
    """Return the account that is asked for. Raises `ValidationError`."""
    if not CURRENCY.match(currency):
        raise bad_parameter("currency", "invalid_currency", "Write three capitals, such as EUR.")
    return accounts.named(name, currency)


def past_sequence(book: Book, parameters: Mapping[str, str]) -> int | None:
    """
    Return the entry after which a state is asked for; None when it is that of now.

    Raises `ValidationError`, `NotYetThere`.
    """
    if {"at", "at_sequence"} <= parameters.keys():
        raise bad_parameter("at", "two_moments", "Ask by `at` or by `at_sequence`, not by both.")
    if "at" in parameters:
        sequence = book.sequence_at(_moment("at", parameters["at"], time.max))
        if sequence is None:
            raise NotYetThere("The book had not begun by then.")
        return sequence
    if "at_sequence" in parameters:
        return _sequence(book, parameters["at_sequence"])
    return None


def first_sequence(book: Book, parameters: Mapping[str, str]) -> int:
    """
    Return the entry from which on a book is asked for; its size when nothing came since.

    Raises `ValidationError`, `NotYetThere`.
    """
    sequence = _integer("from_sequence", parameters.get("from_sequence", "0"))
    if sequence > book.size:
        raise NotYetThere(f"The book does not reach that far: it has {book.size} entries.")
    return sequence


def _sequence(book: Book, text: str) -> int:
    sequence = _integer("at_sequence", text)
    if sequence >= book.size:
        raise NotYetThere(f"The book does not reach that far: its last entry is {book.size - 1}.")
    return sequence


def _integer(name: str, text: str) -> int:
    if not SEQUENCE.match(text):
        hint = "Write the sequence of an entry: a whole number from 0 on."
        raise bad_parameter(name, "invalid_sequence", hint)
    return int(text)


def _operation(name: str) -> MoneyOperation:
    try:
        return MoneyOperation(name)
    except ValueError as error:
        known = ", ".join(MoneyOperation)
        raise bad_parameter("operation", "unknown_operation", f"Choose one of {known}.") from error


def _moment(name: str, text: str, edge: time) -> datetime:
    try:
        if DAY.match(text):
            return datetime.combine(datetime.fromisoformat(text), edge, UTC)
        if MOMENT.match(text):
            return datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise bad_parameter(name, "invalid_time", HINT) from error
    raise bad_parameter(name, "invalid_time", HINT)
