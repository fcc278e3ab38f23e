"""Subscriptions: a gift that comes again at the end of every period."""

from typing import Any

from sandbox import charges, periods, prices
from sandbox.blank import Resource
from sandbox.cards import Card
from sandbox.errors import invalid
from sandbox.scope import Scope

ENDED = ("canceled", "incomplete_expired")


def begin(scope: Scope, *, price: Resource, customer: str, card: str, **fields: Any) -> Resource:
    """Make a subscription whose first period begins now; `card` is a payment method's id."""
    subscription = scope.new(
        "subscription",
        application=scope.application,
        currency=price["currency"],
        customer=customer,
        default_payment_method=card,
        **fields,
    )
    moment = subscription["created"]
    subscription.update(billing_cycle_anchor=moment, start_date=moment)
    item = scope.new(
        "subscription_item",
        current_period_start=moment,
        current_period_end=periods.period_end(price["recurring"], start=moment, anchor=moment),
        plan=prices.plan_of(price),
        price=price,
        subscription=subscription["id"],
    )
    subscription["items"].update(
        data=[item], url=f"/v1/subscription_items?subscription={subscription['id']}"
    )
    return scope.save(subscription)


def item_of(subscription: Resource) -> Resource:
    """Return the one thing that a subscription is for."""
    item: Resource = subscription["items"]["data"][0]
    return item


def change(scope: Scope, subscription: Resource, **fields: Any) -> Resource:
    """Change a subscription and tell what it was before; nothing is told when nothing changed."""
    previous = {
        name: subscription[name] for name, value in fields.items() if subscription[name] != value
    }
    if previous:
        subscription = scope.save({**subscription, **fields})
        scope.emit("customer.subscription.updated", subscription, previous)
    return subscription


def change_card(scope: Scope, subscription: Resource, card: Card) -> Resource:
    """Put another card on file, which the next renewal or try is charged to."""
    identifier = charges.new_payment_method(scope)
    charges.put_on_file(scope, identifier, card)
    return change(scope, subscription, default_payment_method=identifier)


def end(scope: Scope, subscription: Resource, *, reason: str, **details: Any) -> Resource:
    """End a subscription at once: what was given stays given, what is open is not tried again."""
    if subscription["status"] in ENDED:
        raise invalid(f"This subscription is {subscription['status']}.", param="subscription")
    moment = scope.now()
    subscription = {
        **subscription,
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or moment,
        "cancellation_details": {
            **subscription["cancellation_details"],
            **details,
            "reason": reason,
        },
        "ended_at": moment,
    }
    scope.save(subscription)
    for invoice in invoices_of(scope, subscription):
        if invoice["status"] == "open":
            scope.save({**invoice, "auto_advance": False, "next_payment_attempt": None})
    scope.emit("customer.subscription.deleted", subscription)
    return subscription


def invoices_of(scope: Scope, subscription: Resource) -> list[Resource]:
    """Return the subscription's invoices, newest first."""
    return scope.store.related(
        scope.account, "invoice", "parent.subscription_details.subscription", subscription["id"]
    )
