"""What paying on the hosted page does to a Checkout Session."""

import json

from sandbox import payments
from sandbox.blank import Resource
from sandbox.cards import card_with_number
from sandbox.charges import Payer
from sandbox.errors import invalid
from sandbox.scope import Scope

# The note in which a session keeps what its PaymentIntent is to be.
INTENT_NOTE = "payment_intent_data"


def pay(scope: Scope, session: Resource, card_number: str, payer: Payer) -> Resource:
    """
    Pay an open session with a card.

    Raises `CardDeclined` when the card is; the session stays open for another try.
    """
    if status_now(scope, session) != "open":
        message = f"This Checkout Session is {session['status']}."
        raise invalid(message, code="checkout_session_not_open", param="session")
    payer = Payer(payer.email or session["customer_email"], payer.name)
    card = card_with_number(card_number)
    intent = _intent(scope, session, payer)
    intent = payments.confirm(scope, intent, card, payer)
    return _complete(scope, session, intent, payer)


def _intent(scope: Scope, session: Resource, payer: Payer) -> Resource:
    """Return the session's PaymentIntent, which is made with the first try."""
    if session["payment_intent"]:
        return scope.load("payment_intent", session["payment_intent"])
    promise = json.loads(scope.store.noted(session["id"], INTENT_NOTE) or "{}")
    intent = payments.promise(
        scope,
        amount=session["amount_total"],
        currency=session["currency"],
        **{"receipt_email": payer.email, **promise},
    )
    session["payment_intent"] = intent["id"]
    scope.save(session)
    return intent


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
