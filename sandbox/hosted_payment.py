"""What paying on the hosted page does to a Checkout Session."""

import json
from typing import Any

from sandbox import customers, debits, invoices, payments, subscriptions
from sandbox.banks import account_with_iban
from sandbox.blank import Resource
from sandbox.cards import card_with_number
from sandbox.charges import Payer
from sandbox.errors import invalid
from sandbox.scope import Scope

# The notes in which a session keeps what is to come of it, and what it is for.
PROMISE_NOTE = "promise"
LINES_NOTE = "line_items"
_INTENT_NOTE = "intent"


def pay(scope: Scope, session: Resource, card_number: str, payer: Payer) -> Resource:
    """
    Pay an open session with a card.

    Raises `CardDeclined` when the card is; the session stays open for another try.
    """
    payer = _payer(scope, session, payer)
    card = card_with_number(card_number)
    intent = payments.confirm(scope, _intent(scope, session, payer), card, payer)
    if session["mode"] == "subscription":
        _subscribe(scope, session, intent)
    return _complete(scope, session, intent, payer)


def pay_by_debit(scope: Scope, session: Resource, iban: str, payer: Payer) -> Resource:
    """Complete an open session that stays unpaid until the bank has answered."""
    payer = _payer(scope, session, payer)
    if "sepa_debit" not in session["payment_method_types"]:
        message = "Bank debits are for single gifts in EUR that are captured at once."
        raise invalid(message, param="iban")
    account = account_with_iban(iban)
    intent = debits.draw(scope, _intent(scope, session, payer), account, payer)
    scope.store.note(intent["id"], debits.SESSION_NOTE, session["id"])
    return _complete(scope, session, intent, payer)


def _payer(scope: Scope, session: Resource, payer: Payer) -> Payer:
    """Return whoever pays; refuse a session that takes no payment any more."""
    if status_now(scope, session) != "open":
        message = f"This Checkout Session is {session['status']}."
        raise invalid(message, code="checkout_session_not_open", param="session")
    return Payer(payer.email or session["customer_email"], payer.name)


def _intent(scope: Scope, session: Resource, payer: Payer) -> Resource:
    """Return the session's PaymentIntent, which is made with the first try."""
    known = scope.store.noted(session["id"], _INTENT_NOTE)
    if known:
        return scope.load("payment_intent", known)
    if session["mode"] == "subscription":
        intent = _first_of_many(scope, session, payer)
    else:
        intent = payments.promise(
            scope,
            amount=session["amount_total"],
            currency=session["currency"],
            payment_method_types=session["payment_method_types"],
            **{"receipt_email": payer.email, **_noted(scope, session, PROMISE_NOTE)},
        )
        session["payment_intent"] = intent["id"]
    scope.store.note(session["id"], _INTENT_NOTE, intent["id"])
    scope.save(session)
    return intent


def _first_of_many(scope: Scope, session: Resource, payer: Payer) -> Resource:
    """Make the customer, and the PaymentIntent of the first invoice that is to be."""
    customer = customers.make(scope, payer)
    session["customer"] = customer["id"]
    return invoices.promise(
        scope,
        customer,
        amount=session["amount_total"],
        currency=session["currency"],
        reason=invoices.CREATION,
    )


def is_authorised_only(scope: Scope, session: Resource) -> bool:
    """Tell whether paying takes no money yet: the card is charged when the intent is captured."""
    promise = _noted(scope, session, PROMISE_NOTE)
    return bool(promise.get("capture_method") == "manual")


def lines_of(scope: Scope, session: Resource) -> list[Resource]:
    """Return what a session is for."""
    lines: list[Resource] = _noted(scope, session, LINES_NOTE)
    return lines


def _noted(scope: Scope, session: Resource, name: str) -> Any:
    return json.loads(scope.store.noted(session["id"], name) or "{}")


def _subscribe(scope: Scope, session: Resource, intent: Resource) -> None:
    """Begin the subscription that was paid for, with its first invoice."""
    [line] = lines_of(scope, session)
    subscription = subscriptions.begin(
        scope,
        price=line["price"],
        customer=intent["customer"],
        card=intent["payment_method"],
        **_noted(scope, session, PROMISE_NOTE),
    )
    invoice = invoices.draft(scope, subscription, reason=invoices.CREATION)
    invoice = invoices.finalise(scope, invoice, intent)
    subscription = scope.save({**subscription, "latest_invoice": invoice["id"]})
    scope.emit("customer.subscription.created", subscription)
    invoices.set_paid(scope, invoice)
    session.update(subscription=subscription["id"], invoice=invoice["id"])


def _complete(scope: Scope, session: Resource, intent: Resource, payer: Payer) -> Resource:
    is_paid = intent["status"] == "succeeded"
    session.update(
        customer_details=_details(payer),
        payment_status="paid" if is_paid else "unpaid",
        status="complete",
        url=None,
    )
    scope.save(session)
    scope.emit("checkout.session.completed", session)
    return session


def _details(payer: Payer) -> Resource:
    names = ("address", "business_name", "individual_name", "phone")
    return {
        **dict.fromkeys(names),
        "email": payer.email,
        "name": payer.name,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def status_now(scope: Scope, session: Resource) -> str:
    """Return the session's status; one whose time has passed expires now."""
    if session["status"] == "open" and scope.now() >= session["expires_at"]:
        expire_now(scope, session)
    return str(session["status"])


def expire_now(scope: Scope, session: Resource) -> None:
    """End a session that was not paid."""
    session.update(status="expired", url=None)
    scope.save(session)
    scope.emit("checkout.session.expired", session)
