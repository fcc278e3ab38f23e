"""What events say of gifts that repeat: which subscriptions to read, and what donors must do."""

from collections.abc import Callable, Sequence
from typing import Any

from donations.services.recurring import is_ours, learn_expiry, learn_payer, learn_trouble
from donations.services.subscriptions import (
    Claim,
    SubscriptionFacts,
    claim_of,
    id_of,
    invoice_facts,
    read_subscription,
)
from organisations.models import Organisation
from webhooks.models import StripeEvent

Thing = dict[str, Any]
Handler = Callable[[StripeEvent, Thing], None]


def read_subscriptions(
    organisation: Organisation, events: Sequence[StripeEvent]
) -> list[SubscriptionFacts]:
    """
    Read how the subscriptions of ours stand that events tell of; what they say may be old.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`,
    `StripeRefused`.
    """
    claims = {
        claim.subscription: claim
        for event in events
        if (claim := _claim(event.payload["data"]["object"])) and claim.subscription
    }
    account = str(organisation.stripe_account)
    return [
        read_subscription(account=account, name=name)
        for name, claim in claims.items()
        if is_ours(organisation, claim)
    ]


def _claim(thing: Thing) -> Claim | None:
    """Return which subscription an event is about, if it is about one."""
    match thing.get("object"):
        case "subscription":
            return claim_of(thing["id"], thing.get("metadata"))
        case "checkout.session" if thing.get("mode") == "subscription":
            return claim_of(id_of(thing.get("subscription") or ""), thing.get("metadata"))
        case "invoice":
            facts = invoice_facts(thing)
            return facts.claim if facts else None
    return None


def _page_completed(event: StripeEvent, session: Thing) -> None:
    assert event.organisation
    if claim := _claim(session):
        donor = session.get("customer_details") or {}
        email = str(donor.get("email") or "")
        learn_payer(organisation=event.organisation, claim=claim, donor_email=email)


def _page_expired(event: StripeEvent, session: Thing) -> None:
    assert event.organisation
    assert event.occurred_at
    if claim := _claim(session):
        learn_expiry(organisation=event.organisation, claim=claim, ended_at=event.occurred_at)


def _invoice_paid(event: StripeEvent, invoice: Thing) -> None:
    assert event.organisation
    if facts := invoice_facts(invoice):
        learn_payer(
            organisation=event.organisation, claim=facts.claim, donor_email=facts.donor_email
        )


def _invoice_waits(*, must_confirm: bool) -> Handler:
    def handler(event: StripeEvent, invoice: Thing) -> None:
        assert event.organisation
        if facts := invoice_facts(invoice):
            learn_trouble(organisation=event.organisation, invoice=facts, must_confirm=must_confirm)

    return handler


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _page_completed,
    "checkout.session.expired": _page_expired,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_waits(must_confirm=False),
    "invoice.payment_action_required": _invoice_waits(must_confirm=True),
}
