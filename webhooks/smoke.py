"""A walk along the whole path of money, against Stripe's test mode: docs/stripe-smoke.md."""

import time
from collections.abc import Callable
from typing import Any

from common.errors import DomainError
from common.money import exponent_of, format_money
from common.stripe_api import client, on_account
from donations.models import Donation
from donations.services.promises import promise_donation
from ledger.audit import audit_book
from ledger.models import PUBLIC, Account, Entry
from ledger.operations import MoneyOperation
from organisations.models import Organisation
from treasury.models import StripeBalance
from treasury.services.legs import STRIPE
from treasury.services.sweeping import sweep
from webhooks.services.backfilling import backfill
from webhooks.services.draining import drain_due

WHOLE = {0: 2_000, 2: 20, 3: 20}
LOOK_SECONDS, ASK_AFTER = 0.2, 0.5
# https://docs.stripe.com/testing
CARD, DISPUTED, AT_ONCE = "pm_card_visa", "pm_card_createDispute", "pm_card_bypassPending"


class NotSeen(DomainError):
    """What a step did is not in the ledger, or not in time."""

    code = "not_seen"


class Walk:
    """The steps, on the account of one organisation: each returns what it saw."""

    def __init__(self, organisation: Organisation, *, wait_seconds: float) -> None:
        """Remember where to walk, and how long a step may take."""
        self.organisation, self.wait_seconds = organisation, wait_seconds
        self.options = on_account(str(organisation.stripe_account))
        self.currency = organisation.currency
        exponent = exponent_of(self.currency)
        self.amount = WHOLE[exponent] * 10**exponent
        self.has_asked = False

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Return the steps with their names, in their order."""
        return [
            ("Reading the account's past", self.catch_up),
            ("Giving by card", self.give),
            ("Refunding half of a gift", self.refund),
            ("Losing a dispute", self.dispute),
            ("Paying out by hand", self.pay_out),
            ("Comparing ledger and balance", self.compare),
        ]

    def catch_up(self) -> str:
        """Take in the account's past."""
        events = backfill(organisation=self.organisation)
        booked = sweep(organisation=self.organisation)
        return f"{events} events and {booked} movements were new."

    def give(self) -> str:
        """Give by card, and see the gift settle."""
        self.has_asked = False
        gift = self._give(CARD)
        told = "Stripe had to be asked: no webhook came" if self.has_asked else "a webhook told it"
        return f"{self._money(self.amount)} are in the ledger at {gift.sequence}; {told}."

    def refund(self) -> str:
        """Refund half of a gift."""
        gift = self._give(CARD)
        params: Any = {"payment_intent": gift.payment_intent, "amount": self.amount // 2}
        client().v1.refunds.create(params, self.options)
        self._see(lambda: self._status(gift) == Donation.Status.PARTIALLY_REFUNDED)
        return f"{self._money(self.amount // 2)} went back, and the fee of the gift did not."

    def dispute(self) -> str:
        """Give by a card whose owner disputes it, and accept the dispute."""
        gift = self._give(DISPUTED)
        self._see(lambda: self._status(gift) == Donation.Status.DISPUTED)
        [dispute] = client().v1.disputes.list({"payment_intent": gift.payment_intent}, self.options)
        client().v1.disputes.close(dispute.id, options=self.options)
        return f"{dispute.id} took the gift back out of its fund."

    def pay_out(self) -> str:
        """Give by a card whose money is there at once, and send a part of it to the bank."""
        # What the steps before took is missing from what is available.
        self._give(AT_ONCE, times=5)
        sent = Entry.objects.of(self.organisation).filter(operation=MoneyOperation.PAYOUT_SENT)
        before = sent.count()
        part = self.amount // 4
        params: Any = {"amount": part, "currency": self.currency.lower()}
        client().v1.payouts.create(params, self.options)
        self._see(lambda: sent.count() > before)
        return f"{self._money(part)} are on their way to the bank."

    def compare(self) -> str:
        """Compare the ledger with the balance, and audit the book."""
        self._see(self._is_equal)
        report = audit_book(self.organisation.pk, self.organisation.slug, PUBLIC)
        if report.verdict:
            raise NotSeen(f"The book does not verify: {report.finding}")
        balances = StripeBalance.objects.filter(organisation=self.organisation)
        sums = [format_money(balance.total, balance.currency) for balance in balances]
        return f"Both say {' and '.join(sums)}, and the book verifies."

    def _give(self, card: str, *, times: int = 1) -> Donation:
        promised = promise_donation(
            organisation=self.organisation,
            amount=self.amount * times,
            currency=self.currency,
            flow=Donation.Flow.PAYMENT_INTENT,
        )
        gift = promised.donation
        params: Any = {"payment_method": card, "return_url": "https://example.org"}
        client().v1.payment_intents.confirm(gift.payment_intent, params, self.options)
        self._see(lambda: self._status(gift) is not None and gift.sequence is not None)
        return gift

    def _status(self, gift: Donation) -> str:
        gift.refresh_from_db()
        return gift.status

    def _is_equal(self) -> bool:
        accounts: Any = Account.objects.of(self.organisation).money().filter(name=STRIPE)
        ledger = {account.currency: account.amount for account in accounts}
        balances = StripeBalance.objects.filter(organisation=self.organisation)
        return all(balance.total == ledger.get(balance.currency, 0) for balance in balances)

    def _see(self, condition: Callable[[], bool]) -> None:
        """Wait for webhooks, a part of the time; then ask for what they should have told."""
        begun_at = time.monotonic()
        deadline = begun_at + self.wait_seconds
        ask_at = begun_at + self.wait_seconds * ASK_AFTER
        while not self._drained(condition):
            if time.monotonic() > deadline:
                raise NotSeen
            if time.monotonic() > ask_at:
                self.has_asked = True
                self.catch_up()
            time.sleep(LOOK_SECONDS)

    def _drained(self, condition: Callable[[], bool]) -> bool:
        while drain_due():
            pass
        return condition()

    def _money(self, amount: int) -> str:
        return format_money(amount, self.currency)
