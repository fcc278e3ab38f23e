"""Bank debits: promised on the page, and cleared or refused by the bank some days later."""

from typing import Any

from sandbox import balance, blank, charges, money, payments
from sandbox.banks import BANK_ACCOUNTS, BankAccount
from sandbox.blank import Resource
from sandbox.charges import Payer
from sandbox.disputes import dispute
from sandbox.errors import invalid
from sandbox.scope import Scope

SESSION_NOTE = "session"

_IBAN_NOTE = "iban"
_MESSAGES = {
    "debit_not_authorized": "The customer has notified their bank that this payment was"
    " unauthorized.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
}


def draw(scope: Scope, intent: Resource, account: BankAccount, payer: Payer) -> Resource:
    """Ask the bank for the money: the intent is `processing`, and its charge pending."""
    payments.require_state(intent, *payments.OPEN)
    charge = scope.new("charge", paid=False, status="pending", **payments.charged(intent))
    charge.update(
        id=blank.identifier("payment", account=scope.account, moment=charge["created"]),
        amount_captured=charge["amount"],
        payment_method=charges.new_payment_method(scope),
        payment_method_details={"sepa_debit": _details(scope, account), "type": "sepa_debit"},
    )
    charge["billing_details"].update(email=payer.email, name=payer.name)
    del charge["outcome"]["risk_score"]
    charge["outcome"]["risk_level"] = "not_assessed"
    scope.save(charge)
    intent.update(
        latest_charge=charge["id"], payment_method=charge["payment_method"], status="processing"
    )
    scope.save(intent)
    scope.store.note(charge["id"], _IBAN_NOTE, account.iban)
    if not account.is_slow:
        charges.settle_later(scope, charge)
    scope.emit("charge.pending", charge)
    scope.emit("payment_intent.processing", intent)
    return intent


def _details(scope: Scope, account: BankAccount) -> Resource:
    return {
        "bank_code": account.iban[4:12],
        "branch_code": None,
        "country": account.iban[:2],
        "expected_debit_date": None,
        "fingerprint": account.fingerprint,
        "last4": account.last4,
        "mandate": blank.identifier("mandate", account=scope.account, moment=scope.now()),
    }


def clear(scope: Scope, intent: Resource) -> Resource:
    """Let the bank answer; a debit that it has answered already stays as it is."""
    iban = scope.store.noted(intent["latest_charge"] or "", _IBAN_NOTE)
    if not iban:
        raise invalid("This PaymentIntent waits for no bank.", param="payment_intent")
    if intent["status"] != "processing":
        return intent
    charge = scope.load("charge", intent["latest_charge"])
    scope.store.rows("DELETE FROM settlements WHERE charge = ?", charge["id"])
    account = BANK_ACCOUNTS[iban]
    if account.failure_code:
        return _fail(scope, intent, charge, account.failure_code)
    intent = _succeed(scope, intent, charge)
    if account.is_disputed:
        dispute(scope, charge, reason="debit_not_authorized")
    return intent


def _succeed(scope: Scope, intent: Resource, charge: Resource) -> Resource:
    charge.update(paid=True, status="succeeded")
    charge["balance_transaction"] = _arrive(scope, charge)["id"]
    scope.save(charge)
    intent.update(amount_received=charge["amount"], status="succeeded")
    scope.save(intent)
    scope.emit("charge.succeeded", charge)
    scope.emit("payment_intent.succeeded", intent)
    _tell_session(scope, intent, "checkout.session.async_payment_succeeded", payment_status="paid")
    return intent


def _arrive(scope: Scope, charge: Resource) -> Resource:
    settlement = scope.load("account", scope.account)["default_currency"]
    return balance.move(
        scope,
        type="payment",
        category="charge",
        amount=money.converted(charge["amount"], charge["currency"], settlement),
        currency=settlement,
        fee=money.converted(money.DEBIT_FEE, "eur", settlement),
        source=charge["id"],
        description=charge["description"],
        exchange_rate=money.shown_rate(charge["currency"], settlement),
        available_on=scope.now() + charges.AVAILABLE_AFTER_SECONDS,
    )


def _fail(scope: Scope, intent: Resource, charge: Resource, failure_code: str) -> Resource:
    message = _MESSAGES[failure_code]
    charge.update(
        amount_captured=0,
        captured=False,
        failure_code=failure_code,
        failure_message=message,
        status="failed",
    )
    charge["outcome"].update(
        network_status="declined_by_network",
        reason=failure_code,
        seller_message=message,
        type="issuer_declined",
    )
    scope.save(charge)
    intent.update(
        last_payment_error={
            "charge": charge["id"],
            "code": "payment_intent_payment_attempt_failed",
            "decline_code": failure_code,
            "message": message,
            "type": "invalid_request_error",
        },
        payment_method=None,
        status="requires_payment_method",
    )
    scope.save(intent)
    scope.emit("charge.failed", charge)
    scope.emit("payment_intent.payment_failed", intent)
    _tell_session(scope, intent, "checkout.session.async_payment_failed")
    return intent


def _tell_session(scope: Scope, intent: Resource, told: str, **fields: Any) -> None:
    """Tell what came of the session that asked for the debit; there is always one."""
    session = scope.load("checkout.session", scope.store.noted(intent["id"], SESSION_NOTE) or "")
    scope.emit(told, scope.save({**session, **fields}))


def clear_charge(scope: Scope, charge: Resource) -> None:
    """Let the bank answer for a pending charge whose time has come."""
    clear(scope, scope.load("payment_intent", charge["payment_intent"]))
