"""The two sides of a balance: where the money is, what it is for, and that they agree."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from django.template import Library

from common.money import format_amount
from ledger.models import Account, Entry
from ledger.operations import BookOperation
from ledger.templatetags.entries import account_mark, account_words

register = Library()

SHADE_MAX = 4
GAP = 0.4
WHOLE = 100.0


class Line(NamedTuple):
    """One account of a side; `offset` and `width` are its part of the bar, in per cent."""

    account: str
    words: str
    amount: int
    shade: int
    offset: str
    width: str


class Side(NamedTuple):
    """One side of a balance in one currency, its largest account first."""

    mark: str
    title: str
    lines: list[Line]
    total: int
    summary: str


class Attested(NamedTuple):
    """One account of a balance attestation; `amount` is positive when money is there."""

    account: str
    currency: str
    mark: str
    debits: int
    credits: int
    amount: int


class Balance(NamedTuple):
    """Both sides in one currency."""

    currency: str
    places: Side
    purposes: Side


@register.simple_tag
def two_sides(accounts: Iterable[Any], names: Mapping[str, str], main: str) -> list[Balance]:
    """
    Return a balance per currency of `Account.objects.money()`, the main currency first.

    Accounts at zero are left out.
    """
    filled = [account for account in accounts if account.amount]
    balances = [
        _balance(currency, list(group), names)
        for currency, group in groupby(filled, key=lambda account: account.currency)
    ]
    return sorted(balances, key=lambda balance: balance.currency != main)


@register.simple_tag
def attested_accounts(entry: Entry) -> list[Attested]:
    """Return what a balance attestation says, in its order; nothing for other entries."""
    if entry.operation != BookOperation.BALANCE_ATTESTATION:
        return []
    rows = [entry.metadata[name] for name in sorted(entry.metadata, key=_place) if _place(name)]
    return [_attested(**row) for row in rows]


def _place(name: str) -> int:
    return int(name[1:]) + 1 if name[1:].isdigit() else 0


def _attested(*, account: str, currency: str, debits: int, credits: int) -> Attested:
    mark = account_mark(account)
    amount = debits - credits if mark == "place" else credits - debits
    return Attested(account, currency, mark, debits, credits, amount)


def bar_parts(amounts: Iterable[int], whole: int) -> list[tuple[str, str]]:
    """Return (offset, width) in per cent for each amount, side by side with a hair between."""
    parts, start = [], 0.0
    for amount in amounts:
        width = WHOLE * max(amount, 0) / whole if whole > 0 else 0.0
        parts.append((f"{start:.2f}%", f"{max(width - GAP, 0):.2f}%"))
        start += width
    return parts


def _balance(currency: str, accounts: list[Any], names: Mapping[str, str]) -> Balance:
    accounts.sort(key=lambda account: -account.amount)
    places = [account for account in accounts if account.kind == Account.Kind.PLACE]
    purposes = [account for account in accounts if account.kind == Account.Kind.PURPOSE]
    return Balance(
        currency,
        _side("place", "Where the money is", places, names),
        _side("purpose", "What it is for", purposes, names),
    )


def _side(mark: str, title: str, accounts: list[Any], names: Mapping[str, str]) -> Side:
    amounts = [account.amount for account in accounts]
    parts = bar_parts(amounts, sum(max(amount, 0) for amount in amounts))
    lines = [
        Line(
            account.name,
            account_words(account.name, names),
            account.amount,
            min(position, SHADE_MAX),
            *part,
        )
        for position, (account, part) in enumerate(zip(accounts, parts, strict=True), 1)
    ]
    spoken = ", ".join(
        f"{line.words} {format_amount(line.amount, account.currency)}"
        for account, line in zip(accounts, lines, strict=True)
    )
    return Side(mark, title, lines, sum(amounts), f"{title}: {spoken}")
