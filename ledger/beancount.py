"""
The public book in Beancount's language: text in, text out.

Every currency is a commodity, every place an asset, every purpose equity; what raises a place is
positive, and both sides of a transaction add up to nothing, as Beancount has it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from common.money import exponent_of

PLACES = frozenset({"stripe", "in_transit", "bank", "reserve", "onchain"})
# Accounts are open before anything can have happened.
OPENED_ON = "1970-01-01"
UNPRINTABLE = re.compile("[\x00-\x1f\x7f]+")


class Row(NamedTuple):
    """The columns of an entry that go into the file."""

    sequence: int
    occurred_at: datetime
    operation: str
    amount: int
    currency: str
    debit: str
    credit: str
    nonce: str
    entry_hash: str


def header(title: str, currency: str) -> str:
    """Return the options of the file."""
    return f'option "title" {_quote(title)}\noption "operating_currency" {_quote(currency)}\n\n'


def opening(accounts: Iterable[tuple[str, str]]) -> str:
    """Return the accounts' declarations, from their names and currencies."""
    currencies = defaultdict(list)
    for name, currency in accounts:
        currencies[account_of(name)].append(currency)
    lines = (f"{OPENED_ON} open {name} {','.join(found)}\n" for name, found in currencies.items())
    return "".join(lines)


def transaction(entry: Row) -> str:
    """Return one entry as a transaction; one that moves nothing as a remark."""
    if entry.currency == "XXX":
        return f"\n; {entry.sequence} {entry.operation} {entry.entry_hash}\n"
    value = decimal_of(entry.amount, exponent_of(entry.currency))
    return (
        f"\n{entry.occurred_at:%Y-%m-%d} * {_quote(entry.operation)}\n"
        f"  sequence: {entry.sequence}\n"
        f"  nonce: {_quote(entry.nonce)}\n"
        f'  entry_hash: "{entry.entry_hash}"\n'
        f"  {account_of(entry.debit)}  {value} {entry.currency}\n"
        f"  {account_of(entry.credit)}  -{value} {entry.currency}\n"
    )


def account_of(name: str) -> str:
    """Return what Beancount calls an account: `fund:winter-help` is Equity:Fund:Winter-Help."""
    kind, _, slug = name.partition(":")
    root = "Assets" if kind in PLACES else "Equity"
    return ":".join([root, *(_capitalise(part) for part in (kind, slug) if part)])


def decimal_of(amount: int, exponent: int) -> str:
    """Return minor units as a plain decimal number: 5000 with two decimals is `50.00`."""
    whole, part = divmod(amount, 10**exponent)
    return f"{whole}.{part:0{exponent}d}" if exponent else str(whole)


def _capitalise(name: str) -> str:
    return "-".join(part.capitalize() for part in re.split("[-_]", name))


def _quote(text: str) -> str:
    escaped = UNPRINTABLE.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
