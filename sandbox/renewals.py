"""The end of a period: the next one begins with an invoice, or the subscription ends."""

from copy import deepcopy

from sandbox import collection, invoices, periods, subscriptions
from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.scope import Scope
from sandbox.subscriptions import item_of

# What becomes of an invoice while collection is paused: its status, the note of when, the event.
_PAUSED = {
    "void": ("void", "voided_at", "invoice.voided"),
    "mark_uncollectible": (
        "uncollectible",
        "marked_uncollectible_at",
        "invoice.marked_uncollectible",
    ),
}


def renew(scope: Scope, subscription: Resource) -> Resource:
    """
    Play the end of the present period and return the subscription as it is then.

    A clock of the account that was set moves on to that moment; with the wall clock the
    renewal comes early.
    """
    if subscription["status"] in subscriptions.ENDED:
        raise invalid(f"This subscription is {subscription['status']}.", param="subscription")
    scope.move_on(item_of(subscription)["current_period_end"])
    if subscription["cancel_at_period_end"]:
        return subscriptions.end(scope, subscription, reason="cancellation_requested")
    subscription = _resumed(scope, subscription)
    invoice = _begin_period(scope, subscription)
    pause = subscription["pause_collection"]
    if pause:
        _set_aside(scope, invoice, pause["behavior"])
    else:
        collection.collect(scope, invoices.finalise(scope, invoice))
    return scope.load("subscription", subscription["id"])


def _resumed(scope: Scope, subscription: Resource) -> Resource:
    """Return the subscription without a pause whose time is over."""
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] and pause["resumes_at"] <= scope.now():
        return subscriptions.change(scope, subscription, pause_collection=None)
    return subscription


def _begin_period(scope: Scope, subscription: Resource) -> Resource:
    """Move the subscription on to its next period and draft the invoice for it."""
    items = deepcopy(subscription["items"])
    item = items["data"][0]
    start = item["current_period_end"]
    item["current_period_start"] = start
    item["current_period_end"] = periods.period_end(
        item["price"]["recurring"], start=start, anchor=subscription["billing_cycle_anchor"]
    )
    invoice = invoices.draft(scope, {**subscription, "items": items}, reason=invoices.RENEWAL)
    subscriptions.change(scope, subscription, items=items, latest_invoice=invoice["id"])
    return invoice


def _set_aside(scope: Scope, invoice: Resource, behavior: str) -> None:
    """Leave an invoice uncollected: as a draft, void, or marked as uncollectible."""
    invoice["auto_advance"] = False
    if behavior in _PAUSED:
        invoice["status"], moment, told = _PAUSED[behavior]
        invoice["status_transitions"][moment] = scope.now()
        scope.save(invoice)
        scope.emit(told, invoice)
    else:
        scope.save(invoice)
