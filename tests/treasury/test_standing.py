"""How accounts stand: disputes and warnings of a month's gifts become one case for staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from donations.models import Donation
from organisations.models import StripeAccountState
from reviews.models import Case, PayoutHold, Screening
from reviews.services.deciding import decide
from tests.donations.refunds import in_ledger
from tests.factories import (
    BalanceTransactionFactory,
    DisputeFactory,
    OrganisationFactory,
    UserFactory,
)
from treasury import tasks
from treasury.services.disputes import warn_of_fraud
from treasury.services.standing import _standing, look_at_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation():
    return OrganisationFactory(stripe_account="acct_1")


def settled(organisation, charge):
    gift = in_ledger(organisation)
    BalanceTransactionFactory(
        organisation=organisation,
        reporting_category="charge",
        charge=charge,
        donation=gift.id,
    )
    return gift


def counted(organisation):
    look_at_account(organisation=organisation)
    screening = Screening.objects.filter(occasion="account").latest("at")
    [result] = [each for each in screening.results if each["rule"] == "troubled_gifts"]
    evidence = result["evidence"]
    return evidence["settled"], evidence["disputed"], evidence["warned"]


def warn(organisation, charge, number=1):
    return warn_of_fraud(
        organisation=organisation, warning_id=f"issfr_{number}", charge=charge, fraud_type="other"
    )


def test_gifts_disputes_and_warnings_of_a_month_are_counted(organisation):
    for number in range(4):
        settled(organisation, f"ch_{number}")
    DisputeFactory(organisation=organisation, charge="ch_0")
    another = OrganisationFactory(stripe_account="acct_2")
    DisputeFactory(organisation=another, charge="ch_1")
    warn(organisation, "ch_2")

    assert counted(organisation) == (4, 1, 1)


def test_a_gift_that_was_warned_of_and_disputed_counts_once(organisation):
    settled(organisation, "ch_0")
    DisputeFactory(organisation=organisation, charge="ch_0")
    warn(organisation, "ch_0")
    warn(organisation, "ch_0", number=2)

    assert counted(organisation) == (1, 1, 0)


def test_a_gift_that_was_warned_of_before_is_no_news_once_it_is_disputed(organisation):
    settled(organisation, "ch_0")
    warn(organisation, "ch_0")
    look_at_account(organisation=organisation)
    case = Case.objects.get(kind="account")
    decide(case=case, by=UserFactory(), choice="close", reason="One of many.")

    DisputeFactory(organisation=organisation, charge="ch_0")

    assert counted(organisation) == (1, 1, 0)
    assert not Case.objects.open().filter(kind="account").exists()


def test_three_other_disputes_stop_payouts_again(organisation):
    StripeAccountState.objects.create(organisation=organisation, controls_payouts=True)
    gifts = [settled(organisation, f"ch_{number}").id for number in range(6)]
    for number in range(3):
        DisputeFactory(organisation=organisation, charge=f"ch_{number}")
    look_at_account(organisation=organisation)
    case = Case.objects.get(kind="account")
    for person in UserFactory.create_batch(2):
        decide(case=case, by=person, choice="release", reason="They are known.")
    past = timezone.now() - timedelta(days=31)
    Donation.objects.filter(id__in=gifts[:3]).update(settled_at=past)
    look_at_account(organisation=organisation)
    assert not PayoutHold.objects.in_force().exists()

    for number in range(3, 6):
        DisputeFactory(organisation=organisation, charge=f"ch_{number}")
    look_at_account(organisation=organisation)

    assert PayoutHold.objects.in_force().get().case == Case.objects.open().get()


def test_the_newest_are_named_first(organisation):
    now = timezone.now()
    gifts = [settled(organisation, f"ch_{number}").id for number in range(4)]
    for number, days in enumerate((2, 1)):
        opened_at = now - timedelta(days=days)
        DisputeFactory(organisation=organisation, charge=f"ch_{number}", opened_at=opened_at)
    for number in (2, 3):
        warn(organisation, f"ch_{number}", number=number)
    moments = zip(OrganisationFactory.create_batch(3), (3, None, 2), strict=True)
    others = [
        StripeAccountState.objects.create(
            organisation=other,
            bank_accounts=["bank"],
            bank_changed_at=days and now - timedelta(days=days),
        ).pk
        for other, days in moments
    ]
    StripeAccountState.objects.create(organisation=organisation, bank_accounts=["bank"])

    stands = _standing(organisation, timezone.now())

    assert stands.disputed == [gifts[1], gifts[0]]
    assert stands.warned == [gifts[3], gifts[2]]
    assert stands.bank_shared_with == [others[1], others[2], others[0]]


def test_two_warnings_of_one_gift_count_once(organisation):
    settled(organisation, "ch_0")
    warn(organisation, "ch_0")
    warn(organisation, "ch_0", number=2)

    assert counted(organisation) == (1, 0, 1)


def test_what_settled_longer_ago_counts_no_more(organisation):
    gift = settled(organisation, "ch_0")
    DisputeFactory(organisation=organisation, charge="ch_0")
    past = timezone.now() - timedelta(days=30, seconds=1)
    Donation.objects.filter(id=gift.id).update(settled_at=past)

    assert counted(organisation) == (0, 0, 0)


def test_too_many_are_one_case_that_says_whose_payouts_they_are(organisation):
    for charge in ("ch_0", "ch_1"):
        settled(organisation, charge)
        DisputeFactory(organisation=organisation, charge=charge)

    tasks.look_at_accounts(timestamp=0)
    tasks.look_at_accounts(timestamp=3600)

    case = Case.objects.get(kind="account")
    assert (case.organisation, case.subject) == (organisation, organisation.id)
    assert "Disputes and warnings" in case.summary
    assert "Its payouts are its own" in case.summary


def test_an_account_in_order_is_no_case(organisation):
    settled(organisation, "ch_0")

    tasks.look_at_accounts(timestamp=0)

    assert not Case.objects.exists()
    results = Screening.objects.get().results
    assert {each["rule"]: each["outcome"] for each in results} == {
        "troubled_gifts": "pass",
        "bank_changed": "not_run",
        "bank_shared": "not_run",
    }


def test_one_that_fails_holds_up_none_of_the_others(organisation, monkeypatch, caplog):
    other = OrganisationFactory(stripe_account="acct_2")
    looked = []

    def look(*, organisation):
        looked.append(organisation)
        raise RuntimeError("odd")

    monkeypatch.setattr(tasks, "look_at_account", look)
    tasks.look_at_accounts(timestamp=0)

    assert looked == [organisation, other]
    assert caplog.text.count("account not looked at") == 2
