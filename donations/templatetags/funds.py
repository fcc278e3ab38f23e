"""How far a fund has come."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.template import Library

from common.money import format_amount
from donations.models import Fund
from ledger.templatetags.balances import bar_parts

register = Library()


class Progress(NamedTuple):
    """
    What came into a fund, what went out of it again and what is left, in one currency.

    `out_bar` and `left_bar` are (offset, width) in per cent of the goal, or of what came in.
    """

    currency: str
    received: int
    gone: int
    left: int
    percent: int | None
    out_bar: tuple[str, str]
    left_bar: tuple[str, str]
    summary: str


@register.simple_tag
def fund_progress(
    fund: Fund,
    currency: str,
    accounts: Iterable[Any],
    set_aside: Mapping[tuple[str, str], int],
) -> Progress:
    """
    Return a fund's progress in a currency, from the accounts of the public book.

    What is `set_aside` for review counts nowhere; what of it was released has come back, and counts
    once.
    """
    held = set_aside.get((fund.account, currency), 0)
    received, gone = (total - held for total in _sums(fund, currency, accounts))
    left = received - gone
    out_bar, left_bar = bar_parts((gone, left), max(fund.goal or 0, received))
    percent = received * 100 // fund.goal if fund.goal else None
    summary = (
        f"{fund.name}: {format_amount(gone, currency)} went out, "
        f"{format_amount(left, currency)} left"
    )
    if fund.goal:
        summary += f", goal {format_amount(fund.goal, currency)}"
    return Progress(currency, received, gone, left, percent, out_bar, left_bar, summary)


@register.simple_tag
def fund_elsewhere(fund: Fund, currency: str, accounts: Iterable[Any]) -> list[tuple[int, str]]:
    """Return what a fund holds in other currencies."""
    return [
        (account.amount, account.currency)
        for account in accounts
        if account.name == fund.account and account.currency != currency and account.amount
    ]


def _sums(fund: Fund, currency: str, accounts: Iterable[Any]) -> tuple[int, int]:
    for account in accounts:
        if (account.name, account.currency) == (fund.account, currency):
            return account.credits, account.debits
    return 0, 0
