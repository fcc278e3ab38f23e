"""What events say of gifts that repeat: which subscriptions to read, and what donors must do."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from common.errors import TryAgainLater
from donations.services.recurring import (
    is_ours,
    learn_expiry,
    learn_payer,
    learn_subscription,
    learn_trouble,
)
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
# What went wrong, by the ids of the events that it concerns.
Failures = dict[str, Exception]


class Standing(NamedTuple):
    """How a subscription stands, and the ids of the events that tell of it."""

    facts: SubscriptionFacts
    event_ids: list[str]


class SubscriptionReading(NamedTuple):
    """How subscriptions stand, and what could not be read."""

    standings: list[Standing]
    failures: Failures


def read_subscriptions(
    organisation: Organisation, events: Sequence[StripeEvent]
) -> SubscriptionReading:
    """
    Read how the subscriptions of ours stand that events tell of; what they say may be old.

    One that cannot be read fails with its own events. Talks to Stripe and must not run within a
    transaction. Raises `TryAgainLater`.
    """
    claims, failures = _claims(events)
    account, standings = str(organisation.stripe_account), []
    for claim, event_ids in claims:
        try:
            if is_ours(organisation, claim):
                facts = read_subscription(account=account, name=claim.subscription)
                standings.append(Standing(facts, event_ids))
        except TryAgainLater:
            raise
        except Exception as error:  # whatever it is, it must not stop the others
            failures |= dict.fromkeys(event_ids, error)
    return SubscriptionReading(standings, failures)


def learn_subscriptions(organisation: Organisation, standings: Iterable[Standing]) -> Failures:
    """Note how subscriptions stand, in a transaction; return what could not be noted."""
    failures: Failures = {}
    for facts, event_ids in standings:
        try:
            # A transaction of its own, which takes back what it wrote.
            learn_subscription(organisation=organisation, facts=facts)
        except Exception as error:  # whatever it is, it must not stop the others
            failures |= dict.fromkeys(event_ids, error)
    return failures


def _claims(events: Iterable[StripeEvent]) -> tuple[list[tuple[Claim, list[str]]], Failures]:
    """Return the claim of each subscription that events name, with their ids."""
    claims: dict[str, tuple[Claim, list[str]]] = {}
    failures: Failures = {}
    for event in events:
        try:
            claim = _claim(event.payload["data"]["object"])
        except Exception as error:  # whatever it is, it must not stop the others
            failures[event.id] = error
            continue
        if claim and claim.subscription:
            _, event_ids = claims.get(claim.subscription, (claim, []))
            claims[claim.subscription] = (claim, [*event_ids, event.id])
    return list(claims.values()), failures


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
