"""What control calls make happen: donors, banks, time, and a bad network."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import (
    accounts,
    authorisations,
    balance,
    cards,
    charges,
    checkout,
    collection,
    debits,
    disputes,
    external_accounts,
    fraud_warnings,
    hosted_payment,
    money,
    payouts,
    refunds,
    renewals,
    subscriptions,
)
from sandbox.blank import Resource
from sandbox.charges import Payer
from sandbox.control_body import Values, take
from sandbox.errors import missing
from sandbox.outage import Outage
from sandbox.outbox import Outbox
from sandbox.scope import Scope, ScopeOf
from sandbox.settlement import Settlement
from sandbox.store import Store


@dataclass(frozen=True)
class Stage:
    """Where control calls act: everything of the sandbox that is not an account's own."""

    store: Store
    scope_of: ScopeOf
    outbox: Outbox
    settlement: Settlement
    outage: Outage

    def find(self, kind: str, identifier: str) -> tuple[Scope, Resource]:
        """Return an object by its id, in the scope of the account that has it."""
        found = self.store.find(identifier)
        if not found or found[1]["object"] != kind:
            raise missing(kind, identifier)
        return self.scope_of(found[0]), found[1]

    def scope(self, values: Values) -> Scope:
        """Return the scope of the account that the body names."""
        scope, _ = self.find("account", take(values, "account", str))
        return scope

    def counts(self) -> Resource:
        """Return the outbox's counts; a charge still to be settled counts as queued."""
        counts = self.outbox.counts()
        return {**counts, "queued": counts["queued"] + self.settlement.waiting()}


def _clock(stage: Stage, values: Values) -> Resource:
    scope = stage.scope(values)
    stage.settlement.settle(captured_before=math.inf)
    moment = take(values, "now", int, None)
    scope.store.note(scope.account, "clock", "" if moment is None else str(moment))
    return {"account": scope.account, "now": moment}


def _pay(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, session = stage.find(checkout.KIND, identifier)
    payer = Payer(take(values, "email", str, None), take(values, "name", str, None))
    if "iban" in values:
        return hosted_payment.pay_by_debit(scope, session, take(values, "iban", str), payer)
    return hosted_payment.pay(scope, session, take(values, "card_number", str), payer)


def _clear(stage: Stage, values: Values, identifier: str) -> Resource:
    return debits.clear(*stage.find("payment_intent", identifier))


def _lapse(stage: Stage, values: Values, identifier: str) -> Resource:
    # What was captured settles at the time that is left now.
    stage.settlement.settle(captured_before=math.inf)
    return authorisations.lapse(*stage.find("payment_intent", identifier))


def _charge(stage: Stage, values: Values) -> Resource:
    scope = stage.scope(values)
    charge = charges.make(
        scope,
        cards.CARDS[cards.SUCCESS],
        Payer(),
        amount=money.checked_amount(take(values, "amount", int)),
        currency=money.checked_currency(take(values, "currency", str)),
        metadata=take(values, "metadata", dict, {}),
    )
    charges.settle_later(scope, charge)
    scope.emit("charge.succeeded", charge)
    return charge


def _dispute(stage: Stage, values: Values, identifier: str) -> Resource:
    return _contest(stage, values, identifier, disputes.dispute, "fraudulent")


def _inquire(stage: Stage, values: Values, identifier: str) -> Resource:
    return _contest(stage, values, identifier, disputes.inquire, "general")


def _contest(
    stage: Stage,
    values: Values,
    identifier: str,
    contest: Callable[..., Resource],
    reason: str,
) -> Resource:
    scope, charge = stage.find("charge", identifier)
    charge = charges.settled(scope, charge)
    amount = take(values, "amount", int, None)
    return contest(scope, charge, amount=amount, reason=take(values, "reason", str, reason))


def _escalate(stage: Stage, values: Values, identifier: str) -> Resource:
    return disputes.escalate(*stage.find("dispute", identifier))


def _warn(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, charge = stage.find("charge", identifier)
    return fraud_warnings.warn(scope, charges.settled(scope, charge))


def _close_dispute(stage: Stage, values: Values, identifier: str) -> Resource:
    outcome = take(values, "outcome", str)
    return disputes.close(*stage.find("dispute", identifier), outcome=outcome)


def _fail_refund(stage: Stage, values: Values, identifier: str) -> Resource:
    return refunds.fail(*stage.find("refund", identifier))


def _payout(stage: Stage, values: Values) -> Resource:
    scope = stage.scope(values)
    stage.settlement.settle(captured_before=math.inf)
    account = scope.load("account", scope.account)
    currency = take(values, "currency", str, account["default_currency"])
    return payouts.send_all(scope, currency=money.checked_currency(currency))


def _pay_payout(stage: Stage, values: Values, identifier: str) -> Resource:
    return payouts.pay(*stage.find("payout", identifier))


def _fail_payout(stage: Stage, values: Values, identifier: str) -> Resource:
    return payouts.fail(*stage.find("payout", identifier))


def _move(stage: Stage, values: Values) -> Resource:
    scope = stage.scope(values)
    movement = balance.move(
        scope,
        type=take(values, "type", str),
        category=take(values, "reporting_category", str),
        amount=take(values, "amount", int),
        currency=money.checked_currency(take(values, "currency", str)),
        description=take(values, "description", str, None),
    )
    scope.emit("balance.available", balance.balance(scope))
    return movement


def _require(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, _ = stage.find("account", identifier)
    due = {name: take(values, name, list, []) for name in ("currently_due", "past_due")}
    return accounts.require(scope, **due)


def _swap_bank(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, _ = stage.find("account", identifier)
    return external_accounts.swap(scope, take(values, "iban", str))


def _deauthorize(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, account = stage.find("account", identifier)
    accounts.disconnect(scope)
    return account


def _switch(stage: Stage, values: Values) -> Resource:
    seconds = take(values, "seconds", float, None)
    stage.outbox.switch(take(values, "mode", str), seconds)
    return stage.counts()


def _counts(stage: Stage, values: Values) -> Resource:
    return stage.counts()


def _renew(stage: Stage, values: Values, identifier: str) -> Resource:
    # What was captured settles at the time that is left now.
    stage.settlement.settle(captured_before=math.inf)
    return renewals.renew(*stage.find("subscription", identifier))


def _retry(stage: Stage, values: Values, identifier: str) -> Resource:
    stage.settlement.settle(captured_before=math.inf)
    return collection.retry(*stage.find("invoice", identifier))


def _change_card(stage: Stage, values: Values, identifier: str) -> Resource:
    card = cards.card_with_number(take(values, "card_number", str))
    return subscriptions.change_card(*stage.find("subscription", identifier), card)


def _deliver(stage: Stage, values: Values, identifier: str) -> Resource:
    scope, event = stage.find("event", identifier)
    scope.outbox.add(scope.account, event)
    return event


def _outage(stage: Stage, values: Values) -> Resource:
    stage.outage.begin(take(values, "status", int, None), take(values, "seconds", float, None))
    return {"status": stage.outage.status}


ACTS: list[tuple[str, str, Callable[..., Resource]]] = [
    ("POST", "clock", _clock),
    ("POST", "checkout/([^/]+)/pay", _pay),
    ("POST", "payment_intents/([^/]+)/clear", _clear),
    ("POST", "payment_intents/([^/]+)/lapse", _lapse),
    ("POST", "charges", _charge),
    ("POST", "charges/([^/]+)/dispute", _dispute),
    ("POST", "charges/([^/]+)/inquire", _inquire),
    ("POST", "charges/([^/]+)/warn", _warn),
    ("POST", "disputes/([^/]+)/escalate", _escalate),
    ("POST", "disputes/([^/]+)/close", _close_dispute),
    ("POST", "refunds/([^/]+)/fail", _fail_refund),
    ("POST", "payouts", _payout),
    ("POST", "payouts/([^/]+)/pay", _pay_payout),
    ("POST", "payouts/([^/]+)/fail", _fail_payout),
    ("POST", "subscriptions/([^/]+)/renew", _renew),
    ("POST", "subscriptions/([^/]+)/card", _change_card),
    ("POST", "invoices/([^/]+)/retry", _retry),
    ("POST", "balance_transactions", _move),
    ("POST", "accounts/([^/]+)/require", _require),
    ("POST", "accounts/([^/]+)/bank", _swap_bank),
    ("POST", "accounts/([^/]+)/deauthorize", _deauthorize),
    ("GET", "delivery", _counts),
    ("POST", "delivery", _switch),
    ("POST", "events/([^/]+)/deliver", _deliver),
    ("POST", "outage", _outage),
]
