"""What the page of a case shows of Stripe: a dispute, a payout, a transaction, in words."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from ledger.models import Account
from organisations.models import Organisation, StripeAccountState
from reviews.models import Case, Hold, PayoutHold
from reviews.panels import Maker, Panel
from reviews.services.holds import HELD
from treasury.models import BalanceTransaction, Dispute, Payout, PayoutControl, PayoutOrder
from treasury.services.legs import STRIPE
from treasury.services.paying_out import let_wait_until

ORDERS_SHOWN = 5
# https://docs.stripe.com/api/disputes/object#dispute_object-status
STANDINGS = {
    "warning_needs_response": "The bank asks, and waits for an answer. No money has moved yet.",
    "warning_under_review": "The organisation answered, and the bank looks at it.",
    "warning_closed": "The bank asked, and let it rest.",
    "needs_response": "The bank took the money back, and waits for an answer.",
    "under_review": "The organisation answered, and the bank decides.",
    "prevented": "It was settled before it became a dispute.",
    "won": "The organisation won: the money is back.",
    "lost": "The organisation lost: the money stays with the donor.",
}


def of_dispute(case: Case) -> Iterator[Panel]:
    """Yield what Stripe told last of a dispute."""
    known = Dispute.objects.filter(organisation=case.organisation, stripe_id=case.subject)
    for dispute in known:
        context = {
            "dispute": dispute,
            "standing": STANDINGS.get(dispute.status, dispute.status.replace("_", " ")),
            "awaits_answer": dispute.awaits_answer(timezone.now()),
        }
        yield Panel("At Stripe: the dispute", "treasury/panels/dispute.html", context)


def of_payout(case: Case) -> Iterator[Panel]:
    """Yield a payout; a case names what of it was not understood after a colon."""
    name = case.subject.partition(":")[0]
    for payout in Payout.objects.filter(organisation=case.organisation, stripe_id=name):
        yield Panel("At Stripe: the payout", "treasury/panels/payout.html", {"payout": payout})


def of_transaction(case: Case) -> Iterator[Panel]:
    """Yield what moved on the Stripe balance, and where in the public book it went."""
    known = BalanceTransaction.objects.filter(organisation=case.organisation)
    for movement in known.filter(stripe_id=case.subject).select_related("organisation"):
        context = {"movement": movement}
        yield Panel("At Stripe: what moved", "treasury/panels/movement.html", context)


def of_payouts(case: Case) -> Iterator[Panel]:
    """Yield how held money and payouts go together, as far as the platform times them."""
    own = PayoutHold.objects.filter(case=case).first()
    held = Hold.objects.filter(case=case, kind=Hold.Kind.LEDGER).first()
    if not (case.kind == Case.Kind.ACCOUNT or (held and not held.ended_at)):
        return
    assert case.organisation
    since = own.began_at if own else held.opened_at if held else None
    accounts: Any = Account.objects.of(case.organisation).money()
    context = {
        "organisation": case.organisation,
        "hold": own,
        "gift_hold": held,
        "is_ours": StripeAccountState.objects.filter(
            organisation=case.organisation, controls_payouts=True
        ).exists(),
        "control": PayoutControl.objects.filter(organisation=case.organisation).first(),
        "until": let_wait_until(case.organisation, since) if since else None,
        "accounts": accounts.filter(name__in=[STRIPE, HELD], amount__gt=0),
        "orders": _orders(case.organisation),
    }
    yield Panel("Payouts", "treasury/panels/payouts.html", context)


def _orders(organisation: Organisation) -> list[PayoutOrder]:
    return list(PayoutOrder.objects.of(organisation).order_by("-id")[:ORDERS_SHOWN])


MAKERS: dict[tuple[Case.Kind, ...], Maker] = {
    (Case.Kind.ACCOUNT, Case.Kind.GIFT): of_payouts,
    (Case.Kind.DISPUTE,): of_dispute,
    (Case.Kind.PAYOUT,): of_payout,
    (Case.Kind.UNCLASSIFIED, Case.Kind.MISMATCH): of_transaction,
}
