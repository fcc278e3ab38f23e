"""Reading a connected account: its balance, and the balance transactions not yet booked."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from common.errors import TryAgainLater
from common.money import from_stripe
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from donations.services.subscriptions import InvoiceFacts
from organisations.models import Organisation
from treasury.errors import TransactionMalformed
from treasury.models import BalanceTransaction, StripeReading
from treasury.services.invoices import invoice_of

Row = dict[str, Any]
Balances = dict[str, tuple[int, int]]
PATH, PAGE_SIZE = "/v1/balance_transactions", 100
CHARGE, REFUND, DISPUTE = ("ch_", "py_"), ("re_", "pyr_"), ("dp_", "du_")
RETURNS = frozenset({"refund_failure", "dispute_reversal", "payout_reversal"})


@dataclass(frozen=True, slots=True)
class Movement:
    """
    One balance transaction with what its source says; amounts are signed minor units.

    `given` and `given_currency` are the amount of the source as the donor knows it; `donation_id`
    is the gift that the charge claims to be, `invoice` what it pays of a subscription, if it names
    no gift; who paid it, and with which `card` (Stripe's fingerprint), is in no line.
    `predates_book` marks what became of a charge or a payout of before the book began.
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
    card: str = ""
    card_country: str = ""
    invoice: InvoiceFacts | None = None
    predates_book: bool = False

    @property
    def claim(self) -> str:
        """Return what the charge claims to pay: a gift, or an invoice."""
        return self.invoice.id if self.invoice else self.donation_id


Told = Movement | TransactionMalformed


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What Stripe said at one moment: what moved, oldest first, and the balances after it.

    What moved before `opened_at`, where the book began as it was read, is none of it. `rows_seen`
    counts all that Stripe listed in a span, booked or not.
    """

    movements: list[Told]
    balances: Balances
    read_at: datetime
    opened_at: datetime | None = None
    rows_seen: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """
    A time, in whole seconds: from `since` on, and before `until`; without it, to the end.

    What moved before `opened_at`, where the book begins, is left out of it.
    """

    since: datetime
    until: datetime | None = None
    opened_at: datetime | None = None


def lock_readings(organisation: Organisation) -> None:
    """Let what was read of an account be kept one reading after the other, in a transaction."""
    StripeReading.objects.get_or_create(organisation=organisation)
    StripeReading.objects.select_for_update().get(organisation=organisation)


def read_account(organisation: Organisation) -> Reading:
    """
    Read what moved on an organisation's Stripe balance and is not booked yet.

    Newest first, page by page, until a page brings nothing new; what moved before the book began
    is none of it. Talks to Stripe and must not run within a transaction. Notes how it went, so
    that pages can say so. Raises `TryAgainLater`, `StripeRefused`.
    """
    account, opened_at = str(organisation.stripe_account), _opened_at(organisation)
    with _noting_failures(organisation):
        rows: list[Row] = []
        for page in _pages(account, {}):
            unknown = _unknown(organisation, page, opened_at)
            rows += unknown
            if not unknown:
                break
        return _told(organisation, rows, opened_at)


def read_span(organisation: Organisation, span: Span, *, rows_max: int) -> Reading | None:
    """
    Read what moved in a span and is not booked yet; None where more than `rows_max` moved in it.

    A span of one second is read whatever it holds. Otherwise like `read_account`.
    """
    account = str(organisation.stripe_account)
    limits = {"gte": int(span.since.timestamp())}
    if span.until:
        limits["lt"] = int(span.until.timestamp())
    is_shortest = span.until and span.until - span.since <= timedelta(seconds=1)
    with _noting_failures(organisation):
        rows, seen = [], 0
        for page in _pages(account, {"created": limits}):
            seen += len(page)
            if seen > rows_max and not is_shortest:
                return None
            rows += _unknown(organisation, page, span.opened_at)
        return replace(_told(organisation, rows, span.opened_at), rows_seen=seen)


def balances_at(organisation: Organisation, moment: datetime) -> dict[str, int]:
    """
    Return what was on an account's balance at a moment, in minor units by currency.

    That is what is there now without what moved since. Raises `TryAgainLater` also where money
    moves while it is read.
    """
    account, since = str(organisation.stripe_account), int(moment.timestamp())
    with _noting_failures(organisation):
        before = balances_now(account)
        sums = {currency: sum(parts) for currency, parts in before.items()}
        for page in _pages(account, {"created": {"gte": since}}):
            for row in page:
                currency = row["currency"].upper()
                sums[currency] = sums.get(currency, 0) - _integer(row["net"])
        if balances_now(account) != before:
            raise TryAgainLater("Money moved on the account while its past was read.")
    return sums


@contextmanager
def _noting_failures(organisation: Organisation) -> Iterator[None]:
    try:
        with translated_errors(str(organisation.stripe_account)):
            yield
    except (TryAgainLater, StripeRefused) as error:
        _note_failure(organisation, error)
        raise


def _pages(account: str, filters: Row) -> Iterator[list[Row]]:
    params = {"limit": PAGE_SIZE, "expand": ["data.source"], **filters}
    while True:
        # As it came: of a page, the library's objects take longer than all that follows.
        page = client().raw_request("get", PATH, **params, **on_account(account)).data
        yield page["data"]
        if not page["has_more"] or not page["data"]:
            return
        params["starting_after"] = page["data"][-1]["id"]


def _opened_at(organisation: Organisation) -> datetime | None:
    reading = StripeReading.objects.filter(organisation=organisation).first()
    return reading.opened_at if reading else None


def _unknown(
    organisation: Organisation, rows: Sequence[Row], opened_at: datetime | None
) -> list[Row]:
    # What moved before the book began is in it already: in what it began with.
    rows = [row for row in rows if not (opened_at and _is_before(row, opened_at))]
    ids = [row["id"] for row in rows]
    booked = BalanceTransaction.objects.of(organisation).filter(stripe_id__in=ids)
    known = set(booked.values_list("stripe_id", flat=True))
    return [row for row in rows if row["id"] not in known]


def _is_before(row: Row, moment: datetime) -> bool:
    created = row.get("created")
    return type(created) is int and created < moment.timestamp()


def _told(organisation: Organisation, rows: list[Row], opened_at: datetime | None) -> Reading:
    account = str(organisation.stripe_account)
    newest_first = sorted(rows, key=_age, reverse=True)
    movements = [_movement_or_error(row, organisation) for row in reversed(newest_first)]
    if opened_at:
        old = _older(organisation, movements, opened_at)
        movements = [_dated(movement, old) for movement in movements]
    return Reading(movements, balances_now(account), timezone.now(), opened_at)


def _older(organisation: Organisation, told: Iterable[Told], opened_at: datetime) -> set[str]:
    """Return the charges and payouts of before the book began that became something."""
    movements = [one for one in told if isinstance(one, Movement)]
    charges = {one.charge for one in movements if one.category != "charge"}
    payouts = {one.source for one in movements if one.category == "payout_reversal"}
    old_charges = {
        charge
        for charge in _absent(organisation, movements, "charge", "charge", charges)
        if _charged_at(organisation, charge) < opened_at.timestamp()
    }
    return old_charges | _absent(organisation, movements, "payout", "source", payouts)


def _absent(
    organisation: Organisation,
    movements: Iterable[Movement],
    category: str,
    field: str,
    names: set[str],
) -> set[str]:
    """Return the names which nothing of a category has, in the book or among movements."""
    here = {getattr(one, field) for one in movements if one.category == category}
    names = names - here - {""}
    booked = BalanceTransaction.objects.of(organisation).filter(reporting_category=category)
    in_book = booked.filter(**{f"{field}__in": names})
    return names - set(in_book.values_list(field, flat=True))


def _charged_at(organisation: Organisation, charge: str) -> int:
    options = on_account(str(organisation.stripe_account))
    return client().v1.charges.retrieve(charge, options=options).created


def _dated(movement: Told, old: set[str]) -> Told:
    if isinstance(movement, Movement) and {movement.charge, movement.source} & old:
        return replace(movement, predates_book=True)
    return movement


def balances_now(account: str) -> Balances:
    """Return what is available and pending on an account's balance, by currency."""
    balance = client().v1.balance.retrieve(options=on_account(account))
    return _balances(balance.to_dict(for_json=True))


def _age(row: Row) -> tuple[int, int]:
    # Of one second, a charge comes before what became of it, and what came back last.
    created, category = row.get("created"), str(row.get("reporting_category"))
    rank = 0 if category == "charge" else 2 if category in RETURNS else 1
    return created if type(created) is int else 0, rank


def _movement_or_error(row: Row, organisation: Organisation) -> Told:
    try:
        source = _source(row, str(organisation.stripe_account))
        return _movement(row, source, invoice_of(organisation, source))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return TransactionMalformed(f"{row.get('id')}: {type(error).__name__} in its fields.")


def _source(row: Row, account: str) -> Row:
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


def _movement(row: Row, source: Row, invoice: InvoiceFacts | None) -> Movement:
    is_charge = source.get("object") == "charge"
    given_currency = (source.get("currency") or "").upper()
    charge = source["id"] if is_charge else source.get("charge") or ""
    rate, payer = row.get("exchange_rate"), source.get("billing_details") or {}
    card = (source.get("payment_method_details") or {}).get("card") or {}
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
        given=from_stripe(_integer(source.get("amount", 0)), given_currency),
        given_currency=given_currency,
        donation_id=str((source.get("metadata") or {}).get("donation_id", "")),
        has_application_fee=_has_application_fee(row, source),
        livemode=source.get("livemode") if is_charge else None,
        donor_email=str(payer.get("email") or ""),
        donor_name=str(payer.get("name") or ""),
        card=str(card.get("fingerprint") or ""),
        card_country=str(card.get("country") or ""),
        invoice=invoice,
    )


def _has_application_fee(row: Row, source: Row) -> bool:
    kinds = {detail.get("type") for detail in row.get("fee_details") or []}
    return "application_fee" in kinds or bool(source.get("application_fee_amount"))


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError("an amount is not an integer")
    return value


def _balances(balance: Row) -> Balances:
    available, pending = (_sums(balance.get(part) or []) for part in ("available", "pending"))
    currencies = available.keys() | pending.keys()
    return {code: (available.get(code, 0), pending.get(code, 0)) for code in sorted(currencies)}


def _sums(parts: Iterable[Row]) -> dict[str, int]:
    return {part["currency"].upper(): part["amount"] for part in parts}


def _note_failure(organisation: Organisation, error: TryAgainLater | StripeRefused) -> None:
    reading, _ = StripeReading.objects.get_or_create(organisation=organisation)
    reading.failing_since = reading.failing_since or timezone.now()
    reading.error, reading.is_refused = str(error)[:255], isinstance(error, StripeRefused)
    reading.save(update_fields=["failing_since", "error", "is_refused"])
