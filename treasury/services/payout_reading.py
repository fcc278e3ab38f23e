"""Reading the payouts of a connected account, and what the automatic ones are made of."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import index
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.stripe_api import client, on_account, translated_errors
from organisations.models import Organisation
from treasury.errors import PayoutMalformed
from treasury.models import Payout
from treasury.services.reading import Movement, Reading

if TYPE_CHECKING:
    from stripe.params import BalanceTransactionListParams, PayoutListParams

PAGE_SIZE = 100
# Banks send a payout back within five business days, also one that Stripe called paid.
FINAL_AFTER = timedelta(days=14)
# So many compositions are read at a time: an account with history has years of them.
COMPOSITIONS_MAX = 20
ASK_AGAIN_AFTER = timedelta(hours=1)
COMPLETED = "completed"
MOVES = frozenset({"payout", "payout_reversal"})
CURRENCY = re.compile(r"[a-z]{3}\Z")
CODE_LENGTH_MAX = 64
RANKS = {
    Payout.Status.PENDING: 0,
    Payout.Status.IN_TRANSIT: 1,
    Payout.Status.PAID: 2,
    Payout.Status.FAILED: 3,
    Payout.Status.CANCELED: 3,
}
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """One payout as Stripe told it, in the names of `Payout`."""

    stripe_id: str
    amount: int
    currency: str
    status: str
    arrival_on: date
    automatic: bool
    reconciliation_status: str
    trace_id: str
    bank_name: str
    bank_last4: str
    failure_code: str
    failure_message: str
    transaction: str
    failure_transaction: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One balance transaction in a payout, in the names of `PayoutItem`."""

    stripe_id: str
    reporting_category: str
    amount: int
    fee: int
    net: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutReading:
    """
    What Stripe said of payouts, asked from `read_at` on: the newest first, and what is in some.

    `is_partial` says that there are more compositions to be read.
    """

    payouts: list[PayoutFacts | PayoutMalformed]
    compositions: dict[str, list[ItemFacts] | PayoutMalformed]
    read_at: datetime
    is_partial: bool


def read_payouts(organisation: Organisation) -> PayoutReading:
    """
    Read what may have become of an organisation's payouts, and what is in those not composed yet.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`, `StripeRefused`.
    """
    account, read_at = str(organisation.stripe_account), timezone.now()
    with translated_errors(account):
        payouts = _payouts(organisation, account)
        wanted = _to_compose(organisation, payouts, read_at)
        compositions = {
            name: _composition(account, name, own) for name, own in wanted[:COMPOSITIONS_MAX]
        }
    return PayoutReading(payouts, compositions, read_at, len(wanted) > COMPOSITIONS_MAX)


def may_tell_of_payouts(types: Iterable[str], reading: Reading) -> bool:
    """Tell whether these types of events, or what moved, make it worth reading payouts."""
    booked = (one.category for one in reading.movements if isinstance(one, Movement))
    return any(type_.startswith("payout.") for type_ in types) or not MOVES.isdisjoint(booked)


def rank_of(facts: PayoutFacts | Payout) -> tuple[int, bool, bool]:
    """Return how far a payout has come: no part of it ever goes back."""
    is_reconciled = facts.reconciliation_status == COMPLETED
    return RANKS[Payout.Status(facts.status)], is_reconciled, bool(facts.trace_id)


def _payouts(organisation: Organisation, account: str) -> list[PayoutFacts | PayoutMalformed]:
    # Newest first, page by page: the first one always, and until one can bring nothing new.
    told: list[PayoutFacts | PayoutMalformed] = []
    params: PayoutListParams = {"limit": PAGE_SIZE, "expand": ["data.destination"]}
    while True:
        page = client().v1.payouts.list(params, on_account(account))
        rows = [row.to_dict(for_json=True) for row in page.data]
        told += (facts := [_facts_or_error(row) for row in rows])
        newest = next(_readable(told), None)
        if not page.has_more or (newest and _are_over(organisation, newest, facts)):
            return told
        params = {**params, "starting_after": rows[-1]["id"]}


def _are_over(
    organisation: Organisation, newest: PayoutFacts, page: Iterable[PayoutFacts | PayoutMalformed]
) -> bool:
    facts = list(_readable(page))
    known = Payout.objects.of(organisation).named(one.stripe_id for one in facts)
    ranks = {name: rank_of(payout) for name, payout in known.items()}
    is_old = all(one.created_at < newest.created_at - FINAL_AFTER for one in facts[-1:])
    return is_old and all(
        _is_over(one) and ranks.get(one.stripe_id) == rank_of(one) for one in facts
    )


def _is_over(facts: PayoutFacts) -> bool:
    status, is_reconciled, _ = rank_of(facts)
    is_told = is_reconciled or not facts.automatic
    return status > RANKS[Payout.Status.PAID] or (status == RANKS[Payout.Status.PAID] and is_told)


def _readable(payouts: Iterable[PayoutFacts | PayoutMalformed]) -> Iterator[PayoutFacts]:
    return (one for one in payouts if isinstance(one, PayoutFacts))


def _facts_or_error(row: dict[str, Any]) -> PayoutFacts | PayoutMalformed:
    try:
        return _facts(row)
    except UNREADABLE as error:
        return PayoutMalformed(f"{row.get('id')}: {type(error).__name__} in its fields.")


def _facts(row: dict[str, Any]) -> PayoutFacts:
    bank, trace = row.get("destination"), row.get("trace_id") or {}
    bank = bank if isinstance(bank, dict) else {}
    return PayoutFacts(
        stripe_id=row["id"],
        amount=index(row["amount"]),
        currency=_currency(row["currency"]),
        status=Payout.Status(row["status"]),
        arrival_on=_moment(row["arrival_date"]).date(),
        automatic=row["automatic"] is True,
        reconciliation_status=row.get("reconciliation_status") or "",
        trace_id=str(trace.get("value") or ""),
        bank_name=str(bank.get("bank_name") or bank.get("brand") or ""),
        bank_last4=str(bank.get("last4") or "")[-4:],
        failure_code=str(row.get("failure_code") or "")[:CODE_LENGTH_MAX],
        failure_message=row.get("failure_message") or "",
        transaction=_id_of(row.get("balance_transaction")),
        failure_transaction=_id_of(row.get("failure_balance_transaction")),
        created_at=_moment(row["created"]),
    )


def _to_compose(
    organisation: Organisation, told: Iterable[PayoutFacts | PayoutMalformed], now: datetime
) -> list[tuple[str, str]]:
    # Each with its own transaction, newest first. One that did not add up is asked for again.
    ready = {
        one.stripe_id: one.transaction
        for one in _readable(told)
        if one.automatic and one.reconciliation_status == COMPLETED
    }
    known = Payout.objects.of(organisation)
    waiting = known.filter(automatic=True, reconciliation_status=COMPLETED, composed_at=None)
    ready |= dict(waiting.newest().values_list("stripe_id", "transaction"))
    done = {
        name
        for name, payout in known.named(ready).items()
        if payout.composition_is_whole
        or (payout.composed_at and payout.composed_at > now - ASK_AGAIN_AFTER)
    }
    return [(name, own) for name, own in ready.items() if name not in done]


def _composition(account: str, payout: str, own: str) -> list[ItemFacts] | PayoutMalformed:
    rows: list[dict[str, Any]] = []
    params: BalanceTransactionListParams = {"limit": PAGE_SIZE, "payout": payout}
    while True:
        page = client().v1.balance_transactions.list(params, on_account(account))
        rows += (row.to_dict(for_json=True) for row in page.data)
        if not page.has_more:
            return _items_or_error(payout, [row for row in rows if row.get("id") != own])
        params = {**params, "starting_after": rows[-1]["id"]}


def _items_or_error(
    payout: str, rows: Iterable[dict[str, Any]]
) -> list[ItemFacts] | PayoutMalformed:
    try:
        return [_item(row) for row in rows]
    except UNREADABLE as error:
        return PayoutMalformed(f"{payout}: {type(error).__name__} in a transaction of it.")


def _item(row: dict[str, Any]) -> ItemFacts:
    amount, fee, net = (index(row[name]) for name in ("amount", "fee", "net"))
    if net != amount - fee:
        raise ValueError("net is not amount less fee")
    return ItemFacts(
        stripe_id=row["id"],
        reporting_category=row["reporting_category"],
        amount=amount,
        fee=fee,
        net=net,
        occurred_at=_moment(row["created"]),
    )


def _currency(value: str) -> str:
    if not CURRENCY.match(value):
        raise ValueError("no currency")
    return value.upper()


def _id_of(value: Any) -> str:
    return str(value["id"] if isinstance(value, dict) else value or "")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
