"""
All of the money's cycle at random, against the sandbox over HTTP.

Donors, banks, Stripe and the network do as they like for 200 steps. After every drain the place
`stripe` of the ledger is the Stripe balance, and places and purposes add up to the same.
"""

import itertools
import random
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common.stripe_api import client, on_account
from donations.errors import TakesNoGifts
from donations.models import Donation
from donations.services.promises import create_sandbox_account, promise_donation
from organisations.services.connecting import connect_account
from reviews.models import Case
from tests.factories import OrganisationFactory
from tests.sandbox_fixtures import SandboxProcess
from tests.treasury.movements import amounts, check_sides
from tests.webhooks.messages import deliver, event
from treasury.services.sweeping import sweep
from webhooks.models import StripeEvent
from webhooks.services.backfilling import backfill
from webhooks.services.draining import drain_due

pytestmark = pytest.mark.django_db(transaction=True)
STEPS, EXAMPLES = 200, 4
DAY = 86_400
CARDS = st.sampled_from(
    (
        *("4242424242424242", "4000000000000077", "4000000000000077", "5555555555554444"),
        *("4000000000000002", "4000000000000259", "4000000000005126"),
    )
)
CATEGORIES = st.sampled_from(["fee", "tax", "network_cost", "other_adjustment", "topup"])
CURRENCIES = st.sampled_from(["EUR", "EUR", "JPY"])
PICK = st.integers(0, 10**6)
AMOUNTS = st.integers(100, 20_000)
# What people must look at, as against what the books could not take.
RIGHT_CASES = {
    *(Case.Kind.UNCLASSIFIED, Case.Kind.FRAUD_WARNING, Case.Kind.PAYOUT, Case.Kind.DISPUTE),
    *(Case.Kind.GIFT, Case.Kind.REFUND, Case.Kind.CARD_TESTING, Case.Kind.ACCOUNT),
}


class Cycle:
    """One organisation, and all that can happen to its money."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.account = create_sandbox_account(country="BE", currency="EUR")
        self.organisation = OrganisationFactory(stripe_account=self.account)
        self.seen: set[str] = set()
        # Time goes on only: what became of a charge is never older than the charge.
        self.clock = itertools.count(int(timezone.now().timestamp()) + DAY, DAY)
        self.is_down = self.is_away = False

    # What people, banks and Stripe do

    def give(self, amount: int, currency: str, card: str) -> None:
        if self.is_cut:
            return
        wish = {"amount": amount, "currency": currency, "flow": "checkout"}
        # By the account's clock, which runs ahead, it may have been let go only later.
        with suppress(TakesNoGifts):
            gift = promise_donation(organisation=self.organisation, **wish).donation
            self.try_to(f"checkout/{gift.checkout_session}/pay", card_number=card)

    def sell(self, amount: int) -> None:
        self.try_to("charges", account=self.account, amount=amount, currency="eur")

    def refund(self, pick: int, part: int) -> None:
        if charge := self.any_of("charges", pick):
            amount = max(1, charge["amount"] // part)
            with suppress(stripe.InvalidRequestError):
                refunds = client().v1.refunds
                refunds.create({"charge": charge["id"], "amount": amount}, on_account(self.account))

    def fail_a_refund(self, pick: int) -> None:
        self.try_to_any("refunds", pick, "refunds/{id}/fail")

    def dispute(self, pick: int) -> None:
        self.try_to_any("charges", pick, "charges/{id}/dispute")

    def close_a_dispute(self, pick: int, outcome: str) -> None:
        self.try_to_any("disputes", pick, "disputes/{id}/close", outcome=outcome)

    def pay_out(self) -> None:
        self.try_to("payouts", account=self.account)

    def end_a_payout(self, pick: int, end: str) -> None:
        self.try_to_any("payouts", pick, "payouts/{id}/" + end)

    def move_otherwise(self, amount: int, category: str) -> None:
        more = {"reporting_category": category, "amount": amount, "currency": "eur"}
        self.try_to("balance_transactions", account=self.account, type=category, **more)

    def let_days_pass(self) -> None:
        self.sandbox.control("clock", account=self.account, now=next(self.clock))

    def disconnect(self) -> None:
        self.try_to(f"accounts/{self.account}/deauthorize")
        self.is_away = True

    def reconnect(self) -> None:
        if not self.is_away or self.is_down:
            return
        asked = {"response_type": "code", "scope": "read_write", "client_id": "ca_sandbox"}
        asked |= {"redirect_uri": "http://localhost:8000/connect/stripe/return", "state": "s"}
        chosen = {"account": self.account, "decision": "connect", "country": "BE"}
        url = f"{self.sandbox.url}/oauth/authorize"
        answer = requests.post(url, chosen, params=asked, allow_redirects=False, timeout=30)
        [code] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
        connect_account(organisation=self.organisation, code=code)
        self.is_away = False

    # What the network does

    def go_down(self, status: int) -> None:
        self.sandbox.control("outage", status=status)
        self.is_down = True

    def come_back(self) -> None:
        self.sandbox.control("outage")
        self.is_down = False

    def tell_some(self, seed: int) -> None:
        if self.is_cut:
            return
        dice = random.Random(seed)
        news = [one for one in self.list("events") if one["id"] not in self.seen]
        self.seen |= {one["id"] for one in news}
        told = [one for one in news if dice.random() > 0.3]
        told += told[: len(told) // 3]
        dice.shuffle(told)
        for one in told:
            assert deliver(one).status_code == 200

    def drain(self) -> None:
        self.sandbox.control("delivery/flush")
        assert deliver(event("balance.available", account=self.account)).status_code == 200
        self.drain_all()
        if not self.is_cut:
            self.check()

    def sweep(self) -> None:
        if self.is_cut:
            return
        self.sandbox.control("delivery/flush")
        sweep(organisation=self.organisation)
        self.check()

    def end(self) -> None:
        self.come_back()
        self.reconnect()
        self.sandbox.control("delivery/flush")
        backfill(organisation=self.organisation)
        sweep(organisation=self.organisation)
        self.drain_all()
        self.check()
        self.check_gifts()

    # What must hold

    def check(self) -> None:
        """Check the public invariant, and that nothing is left out of the books."""
        balance = client().v1.balance.retrieve(options=on_account(self.account))
        stripe = {part.currency.upper(): part.amount for part in balance.available}
        for part in balance.pending:
            stripe[part.currency.upper()] = stripe.get(part.currency.upper(), 0) + part.amount
        ledger = amounts(self.organisation)
        for currency in {*stripe, *(code for _, code in ledger)}:
            assert ledger.get(("stripe", currency), 0) == stripe.get(currency, 0)
        check_sides(self.organisation)
        assert not [case.summary for case in Case.objects.exclude(kind__in=RIGHT_CASES)]

    def check_gifts(self) -> None:
        """Check each gift against the charge that paid it, once all was told."""
        paid = {
            one["metadata"]["donation_id"]: one for one in self.list("charges") if self.is_gift(one)
        }
        disputes = {one["charge"]: one["status"] for one in self.list("disputes")}
        for gift in Donation.objects.of(self.organisation):
            charge = paid.get(gift.id)
            if charge is None:
                assert gift.status == "pending"
                continue
            assert gift.refunded_amount == charge["amount_refunded"]
            is_disputed = disputes.get(charge["id"], "won") != "won"
            whole = charge["amount_refunded"] == charge["amount"]
            refunded = "refunded" if whole else "partially_refunded"
            undisputed = refunded if charge["amount_refunded"] else "settled"
            assert gift.status == ("disputed" if is_disputed else undisputed)
        events = StripeEvent.objects.exclude(status="done")
        assert set(events.values_list("note", flat=True)) <= {"account is disconnected"}

    @staticmethod
    def is_gift(charge: dict[str, Any]) -> bool:
        return charge["status"] == "succeeded" and "donation_id" in charge["metadata"]

    # How

    @property
    def is_cut(self) -> bool:
        """Tell whether Stripe's API says nothing to us now."""
        return self.is_down or self.is_away

    def drain_all(self) -> None:
        StripeEvent.objects.update(next_attempt_at=timezone.now())
        while drain_due():
            pass

    def list(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind, newest first."""
        service = getattr(client().v1, kind)
        page = service.list({"limit": 100}, on_account(self.account))
        return [one.to_dict(for_json=True) for one in page.auto_paging_iter()]

    def any_of(self, kind: str, pick: int) -> dict[str, Any] | None:
        found = [] if self.is_cut else self.list(kind)
        return found[pick % len(found)] if found else None

    def try_to_any(self, kind: str, pick: int, path: str, **values: Any) -> None:
        if one := self.any_of(kind, pick):
            self.try_to(path.format(**one), **values)

    def try_to(self, path: str, **values: Any) -> None:
        """Make something happen, unless the sandbox refuses it, as Stripe would."""
        url = f"{self.sandbox.url}/_control/{path}"
        answer = requests.post(url, json=values, auth=("sk_test_sandbox", ""), timeout=30)
        assert answer.status_code in (200, 400, 402, 404), answer.text


def step(name: str, **choices: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """Return a step with what is chosen for it."""
    return st.tuples(st.just(name), st.fixed_dictionaries(choices))


KINDS_OF_STEPS = [
    step("let_days_pass"),
    *(step("give", amount=AMOUNTS, currency=CURRENCIES, card=CARDS) for _ in range(8)),
    *(step("tell_some", seed=PICK) for _ in range(2)),
    *(step("drain") for _ in range(2)),
    *(step("refund", pick=PICK, part=st.integers(1, 4)) for _ in range(5)),
    step("sell", amount=AMOUNTS),
    *(step("fail_a_refund", pick=PICK) for _ in range(3)),
    step("dispute", pick=PICK),
    step("close_a_dispute", pick=PICK, outcome=st.sampled_from(["won", "lost"])),
    step("pay_out"),
    step("end_a_payout", pick=PICK, end=st.sampled_from(["pay", "fail"])),
    step("move_otherwise", amount=st.integers(-500, 500).filter(bool), category=CATEGORIES),
    step("go_down", status=st.sampled_from([429, 500])),
    *(step("come_back") for _ in range(4)),
    step("sweep"),
    step("disconnect"),
    *(step("reconnect") for _ in range(4)),
]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(st.one_of(KINDS_OF_STEPS), min_size=STEPS, max_size=STEPS))
def test_the_ledger_is_the_balance_whatever_happens(sandbox_stripe, steps):
    cycle = Cycle(sandbox_stripe)

    for name, choices in steps:
        getattr(cycle, name)(**choices)

    cycle.end()
