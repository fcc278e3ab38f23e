"""Charges: made by a card, settled a moment later."""

import time
from dataclasses import dataclass
from typing import Any

from sandbox import balance, blank, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.cards import CARDS, Card
from sandbox.disputes import dispute, inquire
from sandbox.expansion import included
from sandbox.fraud_warnings import warn
from sandbox.lists import PAGING, as_list, page
from sandbox.scope import Scope

_DAY_SECONDS = 86_400
AVAILABLE_AFTER_SECONDS = 2 * _DAY_SECONDS
# How long a bank keeps what its card's holder authorised on a page.
AUTHORISED_DAYS = 7

_CARD_NOTE = "card"
_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}


@dataclass(frozen=True)
class Payer:
    """Whoever fills in the card form, or whose card is on file as `payment_method`."""

    email: str | None = None
    name: str | None = None
    payment_method: str | None = None


def make(scope: Scope, card: Card, payer: Payer, **fields: Any) -> Resource:
    """Return the charge that comes of a card: captured, authorised only, or failed; kept."""
    charge = scope.new("charge", **fields)
    charge["calculated_statement_descriptor"] = "SANDBOX"
    charge["billing_details"].update(email=payer.email, name=payer.name)
    charge["payment_method"] = payer.payment_method or new_payment_method(scope)
    _show_card(charge, card)
    if card.decline_code:
        _fail(charge, card.decline_code)
    elif charge["captured"]:
        charge["amount_captured"] = charge["amount"]
    else:
        end = charge["created"] + AUTHORISED_DAYS * _DAY_SECONDS
        charge["payment_method_details"]["card"]["capture_before"] = end
    for identifier in (charge["id"], charge["payment_method"]):
        put_on_file(scope, identifier, card)
    return scope.save(charge)


def new_payment_method(scope: Scope) -> str:
    return blank.identifier("payment_method", account=scope.account, moment=scope.now())


def put_on_file(scope: Scope, identifier: str, card: Card) -> None:
    """Remember the card that a charge was paid with, or that a payment method stands for."""
    scope.store.note(identifier, _CARD_NOTE, card.number)


def card_on_file(scope: Scope, identifier: str) -> Card:
    """Return the card behind a charge or a payment method."""
    return CARDS[scope.store.noted(identifier, _CARD_NOTE) or ""]


def _show_card(charge: Resource, card: Card) -> None:
    details = charge["payment_method_details"]["card"]
    details.update(
        amount_authorized=charge["amount"],
        brand=card.brand,
        country=card.country,
        funding=card.funding,
        fingerprint=card.fingerprint,
        last4=card.last4,
        network=card.brand,
    )
    details["overcapture"]["maximum_amount_capturable"] = charge["amount"]


def _fail(charge: Resource, decline_code: str) -> None:
    charge.update(
        captured=False,
        failure_code="card_declined",
        failure_message=_MESSAGES[decline_code],
        paid=False,
        status="failed",
    )
    charge["outcome"].update(
        network_status="declined_by_network",
        reason=decline_code,
        seller_message=f"The bank returned the decline code `{decline_code}`.",
        type="issuer_declined",
    )


def fails_refunds(scope: Scope, charge: Resource) -> bool:
    """Return whether a refund of the charge comes back: no bank account does that, some cards."""
    card = CARDS.get(scope.store.noted(charge["id"], _CARD_NOTE) or "")
    return card is not None and card.fails_refunds


def settle_later(scope: Scope, charge: Resource) -> None:
    """Let the captured charge wait for its balance transaction, as asynchronous capture does."""
    scope.store.rows("INSERT INTO settlements VALUES (?, ?)", charge["id"], time.time())


def settled(scope: Scope, charge: Resource) -> Resource:
    """Return the charge with its balance transaction, which it gets now if it waited for it."""
    if charge["status"] == "pending":
        return charge
    if not scope.store.rows(
        "DELETE FROM settlements WHERE charge = ? RETURNING charge", charge["id"]
    ):
        return charge
    movement = _settlement(scope, charge)
    charge = scope.save({**charge, "balance_transaction": movement["id"]})
    scope.emit("charge.updated", charge, {"balance_transaction": None})
    _trouble(scope, charge)
    return scope.load("charge", charge["id"])


def _trouble(scope: Scope, charge: Resource) -> None:
    """Let the card's bank do what a magic card is there for."""
    card = card_on_file(scope, charge["id"])
    if card.is_disputed:
        dispute(scope, charge)
    if card.is_inquired:
        inquire(scope, charge)
    if card.is_warned:
        warn(scope, charge)


def _settlement(scope: Scope, charge: Resource) -> Resource:
    settlement = scope.load("account", scope.account)["default_currency"]
    currency = charge["currency"]
    amount = money.converted(charge["amount_captured"], currency, settlement)
    card = card_on_file(scope, charge["id"])
    wait_seconds = 0 if card.is_available_at_once else AVAILABLE_AFTER_SECONDS
    return balance.move(
        scope,
        type="charge",
        category="charge",
        amount=amount,
        currency=settlement,
        fee=money.fee(amount, settlement),
        source=charge["id"],
        description=charge["description"],
        exchange_rate=money.shown_rate(currency, settlement),
        available_on=scope.now() + wait_seconds,
    )


@answers("get", "/v1/charges/{charge}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("charge", call.values["charge"])


@answers("get", "/v1/charges", f"{PAGING} payment_intent")
def list_charges(call: Call) -> Resource:
    return page(call, "charge", fields="payment_intent")


@answers("post", "/v1/charges/{charge}", "description metadata receipt_email")
def update(call: Call) -> Resource:
    charge = call.scope.load("charge", call.values["charge"])
    charge.update(call.parameters, metadata=call.metadata(charge))
    charge.pop("expand", None)
    call.scope.save(charge)
    call.scope.emit("charge.updated", charge)
    return charge


@included("charge", "refunds")
def refunds_of(scope: Scope, charge: Resource) -> Resource:
    """Return the list of a charge's refunds, which a charge shows when it is asked to."""
    refunds = scope.store.related(scope.account, "refund", "charge", charge["id"])
    return as_list(refunds, f"/v1/charges/{charge['id']}/refunds")
