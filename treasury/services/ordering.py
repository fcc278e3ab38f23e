"""
Ordering payouts of what is free, once a day and currency, each once whatever happens between.

An order is a row first. Before it is sent it is looked at once more while the book is locked; after
a crash Stripe's payouts are asked whether it was sent.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from ledger.models import PUBLIC, Account, Book
from organisations.models import Organisation
from reviews.models import PayoutHold
from reviews.services.holds import HELD
from treasury.models import PayoutControl, PayoutOrder
from treasury.services.legs import STRIPE
from treasury.services.reading import balances_now

Status = PayoutOrder.Status
# Stripe pays these out in whole units alone: https://docs.stripe.com/currencies#special-cases
WHOLE_UNITS = {"HUF": 100, "TWD": 100}
# At the most, Stripe's and ours.
CLOCKS_DIFFER = timedelta(hours=1)
# How long a payout may take to stand in Stripe's list, with all that our client tries again.
ARRIVES_WITHIN = timedelta(minutes=2)


def is_held(organisation: Organisation) -> bool:
    """Tell whether money of any gift is in `held`."""
    return any(amount > 0 for amount in _sums(organisation, HELD).values())


def order_what_is_free(control: PayoutControl) -> None:
    """
    Send what was ordered, and once a day order what is free.

    Raises `TryAgainLater` when an answer is missing; the other currencies do not wait for it.
    """
    organisation, today = control.organisation, timezone.now().date()
    _send_all(PayoutOrder.objects.of(organisation).open())
    if control.paid_on != today:
        balances = balances_now(str(organisation.stripe_account))
        available = {currency: parts[0] for currency, parts in balances.items()}
        _send_all(_take_down(control, available))


def end_orders(organisation: Organisation) -> None:
    """
    Send none of what was ordered and is not known to be sent: more is held, or nothing is.

    Raises `TryAgainLater` while one that was sent may still arrive.
    """
    for order in PayoutOrder.objects.of(organisation).open():
        payout = _sent_before(order)
        if not payout and order.tried_at and order.tried_at > timezone.now() - ARRIVES_WITHIN:
            raise TryAgainLater("A payout that was ordered may still arrive.")
        _end(order, Status.SENT if payout else Status.GIVEN_UP, payout=payout)


@transaction.atomic
def _take_down(control: PayoutControl, available: dict[str, int]) -> list[PayoutOrder]:
    organisation, today = control.organisation, timezone.now().date()
    free = _free(organisation)
    orders = []
    for currency, amount in available.items():
        least = min(amount - _sums(organisation, HELD).get(currency, 0), free.get(currency, 0))
        least -= least % WHOLE_UNITS.get(currency, 1)
        if least > 0:
            facts: dict[str, Any] = {"currency": currency, "day": today, "amount": least}
            orders.append(PayoutOrder(organisation=organisation, **facts))
    PayoutOrder.objects.bulk_create(orders)
    control.paid_on = today
    control.save(update_fields=["paid_on"])
    return orders


def _send_all(orders: Any) -> None:
    missing = None
    for order in orders:
        try:
            _send(order)
        except TryAgainLater as error:
            missing = error
    if missing:
        raise missing


def _send(order: PayoutOrder) -> None:
    if payout := _sent_before(order):
        _end(order, Status.SENT, payout=payout)
        return
    if not _may_be_sent(order):
        _end(order, Status.GIVEN_UP)
        return
    account = str(order.organisation.stripe_account)
    try:
        with translated_errors(account):
            sent = client().v1.payouts.create(
                {
                    "amount": order.amount,
                    "currency": order.currency.lower(),
                    "metadata": {"order": order.id},
                },
                on_account(account, f"almoner:payout:{order.id}"),
            )
    except StripeRefused as error:
        _end(order, Status.REFUSED, trouble=str(error)[:500])
        return
    _end(order, Status.SENT, payout=sent.id)


def _sent_before(order: PayoutOrder) -> str:
    """Return the payout that an order became, where it was tried and the answer was lost."""
    if not order.tried_at:
        return ""
    account = str(order.organisation.stripe_account)
    with translated_errors(account):
        since = int((order.ordered_at - CLOCKS_DIFFER).timestamp())
        made = client().v1.payouts.list(
            {"limit": 100, "created": {"gte": since}}, on_account(account)
        )
        for payout in made.auto_paging_iter():
            told: dict[str, Any] = payout.to_dict(for_json=True)
            if (told.get("metadata") or {}).get("order") == order.id:
                return payout.id
    return ""


@transaction.atomic
def _may_be_sent(order: PayoutOrder) -> bool:
    """Tell whether an order is still of what is free; from then on it counts as tried."""
    free = _free(order.organisation)
    is_waiting = PayoutHold.objects.of(order.organisation).in_force().exists()
    if is_waiting or order.amount > free.get(order.currency, 0):
        return False
    order.tried_at = timezone.now()
    order.save(update_fields=["tried_at"])
    return True


def _free(organisation: Organisation) -> dict[str, int]:
    """Return what the book has at Stripe and does not hold; it is locked, so that this stays so."""
    Book.objects.select_for_update().get(organisation=organisation, book=PUBLIC)
    held = _sums(organisation, HELD)
    at_stripe = _sums(organisation, STRIPE)
    return {currency: amount - held.get(currency, 0) for currency, amount in at_stripe.items()}


def _end(order: PayoutOrder, status: Status, *, payout: str = "", trouble: str = "") -> None:
    own = PayoutOrder.objects.of(order.organisation).open().filter(id=order.id)
    own.update(status=status, payout=payout, trouble=trouble)


def _sums(organisation: Organisation, name: str) -> dict[str, int]:
    accounts: Any = Account.objects.of(organisation).money().filter(name=name)
    return {account.currency: account.amount for account in accounts}
