"""Reading a connected account: its balance, and the balance transactions not yet booked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from organisations.models import Organisation
from treasury.errors import TransactionMalformed
from treasury.models import BalanceTransaction, StripeReading

if TYPE_CHECKING:
    from stripe.params import BalanceTransactionListParams

PAGE_SIZE = 100
CHARGE, REFUND, DISPUTE = ("ch_", "py_"), ("re_", "pyr_"), ("dp_", "du_")
RETURNS = frozenset({"refund_failure", "dispute_reversal", "payout_reversal"})


@dataclass(frozen=True, slots=True)
class Movement:
    """
    One balance transaction with what its source says; amounts are signed minor units.

    `given` and `given_currency` are the amount of the source as the donor knows it; `donation_id`
    is the gift that the charge claims to be; who paid it is in no line.
    """

    id: str
    type: str
    category: str
    amount: int
    fee: int
    net: int
    currency: str
    exchange_rate: str
    occurred_at: datetime
    source: str
    charge: str
    given: int
    given_currency: str
    donation_id: str
    has_application_fee: bool
    livemode: bool | None
    donor_email: str = ""
    donor_name: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What Stripe said at one moment: what moved, oldest first, and the balances after it."""

    movements: list[Movement | TransactionMalformed]
    balances: dict[str, tuple[int, int]]
    read_at: datetime


def read_account(organisation: Organisation) -> Reading:
    """
    Read what moved on an organisation's Stripe balance and is not booked yet.

    Talks to Stripe and must not run within a transaction. Notes how it went, so that pages can
    say so. Raises `TryAgainLater`, `StripeRefused`.
    """
    account = str(organisation.stripe_account)
    try:
        with translated_errors(account):
            rows = _unbooked(organisation, account)
            movements = [_movement_or_error(row, account) for row in reversed(rows)]
            balance = client().v1.balance.retrieve(options=on_account(account))
    except (TryAgainLater, StripeRefused) as error:
        _note_failure(organisation, str(error))
        raise
    return Reading(movements, _balances(balance.to_dict(for_json=True)), timezone.now())


def _unbooked(organisation: Organisation, account: str) -> list[dict[str, Any]]:
    # Newest first, page by page, until a page brings nothing new.
    rows: list[dict[str, Any]] = []
    booked = BalanceTransaction.objects.of(organisation)
    params: BalanceTransactionListParams = {"limit": PAGE_SIZE, "expand": ["data.source"]}
    while True:
        page = client().v1.balance_transactions.list(params, on_account(account))
        page_rows = [row.to_dict(for_json=True) for row in page.data]
        ids = [row["id"] for row in page_rows]
        known = set(booked.filter(stripe_id__in=ids).values_list("stripe_id", flat=True))
        rows += [row for row in page_rows if row["id"] not in known]
        if not page.has_more or len(known) == len(ids):
            return sorted(rows, key=_age, reverse=True)
        params = {**params, "starting_after": ids[-1]}


def _age(row: dict[str, Any]) -> tuple[int, int]:
    # Of one second, a charge comes before what became of it, and what came back last.
    created, category = row.get("created"), str(row.get("reporting_category"))
    rank = 0 if category == "charge" else 2 if category in RETURNS else 1
    return created if type(created) is int else 0, rank


def _movement_or_error(row: dict[str, Any], account: str) -> Movement | TransactionMalformed:
    try:
        return _movement(row, _source(row, account))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return TransactionMalformed(f"{row.get('id')}: {type(error).__name__} in its fields.")


def _source(row: dict[str, Any], account: str) -> dict[str, Any]:
    source = row["source"]
    if not isinstance(source, str):
        return source or {}
    v1, options = client().v1, on_account(account)
    if source.startswith(CHARGE):
        return v1.charges.retrieve(source, options=options).to_dict(for_json=True)
    if source.startswith(REFUND):
        return v1.refunds.retrieve(source, options=options).to_dict(for_json=True)
    if source.startswith(DISPUTE):
        return v1.disputes.retrieve(source, options=options).to_dict(for_json=True)
    return {"id": source}


def _movement(row: dict[str, Any], source: dict[str, Any]) -> Movement:
    is_charge = source.get("object") == "charge"
    charge = source["id"] if is_charge else source.get("charge") or ""
    rate, payer = row.get("exchange_rate"), source.get("billing_details") or {}
    return Movement(
        id=row["id"],
        type=row["type"],
        category=row["reporting_category"],
        amount=_integer(row["amount"]),
        fee=_integer(row["fee"]),
        net=_integer(row["net"]),
        currency=row["currency"].upper(),
        exchange_rate="" if rate is None else str(rate),
        occurred_at=datetime.fromtimestamp(row["created"], UTC),
        source=source.get("id") or "",
        charge=charge if isinstance(charge, str) else charge["id"],
        given=_integer(source.get("amount", 0)),
        given_currency=(source.get("currency") or "").upper(),
        donation_id=str((source.get("metadata") or {}).get("donation_id", "")),
        has_application_fee=_has_application_fee(row, source),
        livemode=source.get("livemode") if is_charge else None,
        donor_email=str(payer.get("email") or ""),
        donor_name=str(payer.get("name") or ""),
    )


def _has_application_fee(row: dict[str, Any], source: dict[str, Any]) -> bool:
    kinds = {detail.get("type") for detail in row.get("fee_details") or []}
    return "application_fee" in kinds or bool(source.get("application_fee_amount"))


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError("an amount is not an integer")
    return value


def _balances(balance: dict[str, Any]) -> dict[str, tuple[int, int]]:
    available, pending = (_sums(balance.get(part) or []) for part in ("available", "pending"))
    currencies = available.keys() | pending.keys()
    return {code: (available.get(code, 0), pending.get(code, 0)) for code in sorted(currencies)}


def _sums(parts: Iterable[dict[str, Any]]) -> dict[str, int]:
    return {part["currency"].upper(): part["amount"] for part in parts}


def _note_failure(organisation: Organisation, error: str) -> None:
    reading, _ = StripeReading.objects.get_or_create(organisation=organisation)
    reading.failing_since = reading.failing_since or timezone.now()
    reading.error = error[:255]
    reading.save(update_fields=["failing_since", "error"])
