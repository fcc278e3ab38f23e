"""Gifts under review, made at the sandbox: what tests need of rules, staff and the worker."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission

from donations.models import Donation
from donations.services.promises import create_sandbox_account, promise_donation
from donations.tasks import ask_for_refunds, carry_out_decisions, screen_settled
from organisations.models import Organisation, User
from reviews.choices import ABOUT_A_GIFT
from reviews.models import Case
from reviews.rules.rule import Finding, Outcome, Rule, Verdict, hit
from reviews.services.deciding import decide
from tests.factories import OrganisationFactory, UserFactory
from tests.sandbox_fixtures import SandboxProcess
from treasury.services.sweeping import sweep
from webhooks.services.backfilling import backfill
from webhooks.services.draining import drain_due


@dataclass(frozen=True)
class Large:
    """From how many minor units on a gift is looked at."""

    limit: int


@pytest.fixture
def organisation(db, sandbox_stripe) -> Organisation:
    """An approved organisation whose account the sandbox knows."""
    return OrganisationFactory(stripe_account=create_sandbox_account(country="FR", currency="EUR"))


@pytest.fixture
def authorised(only, sandbox_stripe, organisation) -> Donation:
    """A gift whose card is authorised and waits for staff."""
    only("promise")
    return paid(sandbox_stripe, organisation)


@pytest.fixture
def held(only, sandbox_stripe, organisation) -> Donation:
    """A gift that is settled and held in the ledger."""
    only("settlement")
    return paid(sandbox_stripe, organisation)


def large_gifts(*occasions: str, holds: bool = True, limit: int = 1) -> Rule[Any, Large]:
    """Return a rule that has every large gift reviewed."""

    def judge(history: Any, parameters: Large) -> Finding:
        if history.gift.amount < parameters.limit:
            return Finding(Outcome.PASS)
        return hit(Verdict.REVIEW, 50, {"amount": history.gift.amount}, holds=holds)

    return Rule(
        name="large",
        title="Large gifts",
        words="From {limit} on.",
        occasions=frozenset(occasions),
        defaults=Large(limit),
        judge=judge,
    )


def promised(organisation: Organisation, **fields: Any) -> Donation:
    """Promise a gift of 50.00 EUR."""
    gift = {"amount": 5000, "currency": "EUR", "flow": Donation.Flow.CHECKOUT, **fields}
    return promise_donation(organisation=organisation, **gift).donation


def paid(sandbox: Any, organisation: Organisation, *, card: str = "4242424242424242") -> Donation:
    """Return a gift that was paid (or authorised) on the payment page, and heard of."""
    donation = promised(organisation)
    sandbox.control(f"checkout/{donation.checkout_session}/pay", card_number=card)
    return heard(donation)


def heard(donation: Donation) -> Donation:
    """Let the worker hear what Stripe has to tell, book it and screen it; return the gift."""
    SandboxProcess(settings.STRIPE_API_BASE).control("delivery/flush")  # all has settled then
    backfill(organisation=donation.organisation)
    drain_due()
    sweep(organisation=donation.organisation)
    screen_settled(timestamp=0)
    donation.refresh_from_db()
    return donation


def carried_out(donation: Donation) -> Donation:
    """Let the worker do what was decided, and hear what came of it; return the gift."""
    carry_out_decisions(timestamp=0)
    ask_for_refunds(timestamp=0)
    return heard(donation)


def case_of(donation: Donation) -> Case:
    """Return the newest case in which a gift is decided."""
    return Case.objects.filter(gift=donation.id, kind__in=ABOUT_A_GIFT).order_by("-id")[0]


def decided(donation: Donation, choice: str, by: User | None = None) -> Case:
    """Have staff decide the case of a gift."""
    case = case_of(donation)
    return decide(case=case, by=by or UserFactory(), choice=choice, reason="Looked at it.").case


def reviewer(**fields: Any) -> User:
    """Return a member of staff who may decide cases."""
    person = UserFactory(is_staff=True, **fields)
    person.user_permissions.add(Permission.objects.get(codename="decide_case"))
    return person
