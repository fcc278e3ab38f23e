"""Collects what an invoice asks for: tries a card, tries again some days later, gives up."""

from sandbox import charges, invoices, payments, subscriptions
from sandbox.blank import Resource
from sandbox.cards import Card
from sandbox.charges import Payer
from sandbox.errors import CardDeclined, invalid
from sandbox.scope import Scope

_DAY_SECONDS = 86_400
# How many days Stripe may wait before the first, the second and the last further try.
_RETRY_DAYS = (3, 5, 7)


def subscription_of(scope: Scope, invoice: Resource) -> Resource:
    return scope.load("subscription", invoice["parent"]["subscription_details"]["subscription"])


def collect(scope: Scope, invoice: Resource) -> Resource:
    """Charge the card on file while nobody is there; return the invoice, paid or not."""
    subscription = subscription_of(scope, invoice)
    identifier = subscription["default_payment_method"]
    payer = Payer(invoice["customer_email"], invoice["customer_name"], identifier)
    invoice["attempt_count"] += 1
    _schedule(scope, invoice)
    try:
        return pay(scope, invoice, charges.card_on_file(scope, identifier), payer)
    except CardDeclined:
        return scope.load("invoice", invoice["id"])


def _schedule(scope: Scope, invoice: Resource) -> None:
    """Note when the next try is due; after the last there is none."""
    tries = invoice["attempt_count"]
    if tries > len(_RETRY_DAYS):
        invoice.update(next_payment_attempt=None, auto_advance=False)
    else:
        pause_seconds = _RETRY_DAYS[tries - 1] * _DAY_SECONDS
        invoice["next_payment_attempt"] = scope.now() + pause_seconds


def retry(scope: Scope, invoice: Resource) -> Resource:
    """Play the next try that Stripe has planned; the account's clock moves on to it."""
    if invoice["status"] != "open" or invoice["next_payment_attempt"] is None:
        raise invalid("There is no further try of this invoice.", param="invoice")
    scope.move_on(invoice["next_payment_attempt"])
    return collect(scope, invoice)


def pay(
    scope: Scope, invoice: Resource, card: Card, payer: Payer, *, is_payer_there: bool = False
) -> Resource:
    """
    Pay an open invoice with a card; a payer who is there can give the bank's consent.

    Raises `CardDeclined` after keeping and telling what failed.
    """
    if invoice["status"] != "open":
        message = f"This invoice is {invoice['status']}: it cannot be paid."
        raise invalid(message, code="invoice_not_open", param="invoice")
    invoice["attempted"] = True
    intent = invoices.intent_of(scope, invoice)
    if card.needs_consent and not is_payer_there:
        _ask_for_consent(scope, invoice, intent)
    try:
        payments.confirm(scope, intent, card, payer)
    except CardDeclined:
        _fail(scope, invoice, "invoice.payment_failed")
        raise
    invoice = invoices.set_paid(scope, invoice)
    subscription = subscription_of(scope, invoice)
    if subscription["status"] == "past_due" and subscription["latest_invoice"] == invoice["id"]:
        subscriptions.change(scope, subscription, status="active")
    return invoice


def _ask_for_consent(scope: Scope, invoice: Resource, intent: Resource) -> None:
    payments.require_action(scope, intent)
    _fail(scope, invoice, "invoice.payment_action_required")
    raise CardDeclined(
        "This payment needs the consent of the card's holder, on the invoice's page.",
        code="invoice_payment_intent_requires_action",
        payment_intent=intent,
    )


def _fail(scope: Scope, invoice: Resource, told: str) -> None:
    """Tell that a try failed; after the last one the subscription ends."""
    scope.save(invoice)
    scope.emit(told, invoice)
    subscription = subscription_of(scope, invoice)
    if subscription["status"] in subscriptions.ENDED:
        return
    if invoice["next_payment_attempt"] is None:
        subscriptions.end(scope, subscription, reason="payment_failed")
    else:
        subscriptions.change(scope, subscription, status="past_due")
