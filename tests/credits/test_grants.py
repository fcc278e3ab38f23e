"""Gifts that grant credits: by a rule, when they settle, once for ever."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from credits import services, tasks
from credits.errors import AnotherRuleActive, RuleRefused, UnknownApplication
from credits.models import CreditGrant, GrantRule, Owner
from credits.tasks import grant_due, write_waiting_grants
from donations.models import Donation
from donations.services import gifts
from donations.tasks import screen_settled
from ledger.models import Entry
from ledger.operations import registered
from tests.factories import (
    CreditGrantFactory,
    DonationFactory,
    GrantRuleFactory,
    OrganisationFactory,
    UserFactory,
    gift_entries,
)
from tests.stripe_fixtures import stripe_account, stripe_server
from tests.stripe_resources import charge, refund
from tests.stripe_resources import transaction as movement
from tests.treasury.movements import book_all, charged
from tests.treasury.movements import movement as moved
from tests.webhooks.conftest import only
from tests.webhooks.holding import decided
from tests.webhooks.messages import deliver, event
from webhooks.services.draining import drain_due

__all__ = ["only", "stripe_account", "stripe_server"]


@pytest.fixture
def organisation(db):
    """An approved organisation with a connected account."""
    return OrganisationFactory(slug="lantern", stripe_account="acct_1")


def settled(organisation, number=0, owner_id="ann", *, amount=5000, currency="EUR"):
    """Return a gift that has settled and was screened."""
    donation = DonationFactory(
        organisation=organisation, owner_id=owner_id, amount=amount, currency=currency
    )
    [entry] = gift_entries(organisation, first=number, amount=amount, currency=currency)
    gifts.settle(donation=donation, entry=entry)
    screen_settled(timestamp=0)
    return donation


def balance_of(organisation, owner_id="ann"):
    return Owner(organisation, "credits", owner_id).balance()


def test_a_settled_gift_grants_credits(organisation):
    GrantRuleFactory(organisation=organisation, minor_units_per_credit=300)

    donation = settled(organisation)

    grant = CreditGrant.objects.get()
    assert (grant.donation, grant.owner_id, grant.amount) == (donation.id, "ann", 16)
    assert grant.sequence is None
    assert grant_due(limit=10) == 1
    grant.refresh_from_db()
    entry = Entry.objects.of(organisation, "credits").get(sequence=grant.sequence)
    assert (entry.operation, entry.amount, entry.credit) == ("CREDIT_ADD", 16, "owner:ann")
    assert entry.nonce == f"almoner:grant:{donation.id}"
    assert entry.metadata == {"donation": donation.id}
    assert balance_of(organisation) == 16


def test_grants_of_one_book_are_written_at_once(organisation):
    GrantRuleFactory(organisation=organisation)
    for number in range(5):
        settled(organisation, number, f"owner{number % 2}")

    assert (grant_due(limit=3), grant_due(limit=3), grant_due(limit=3)) == (3, 2, 0)
    assert balance_of(organisation, "owner0") == 150
    assert balance_of(organisation, "owner1") == 100


@pytest.mark.parametrize(
    ("rule", "gift"),
    [
        (None, {}),
        ({"is_active": False}, {}),
        ({"currency": "USD"}, {}),
        ({}, {"owner_id": ""}),
        ({"minor_units_per_credit": 5001}, {}),
    ],
)
def test_nothing_is_granted_without_a_rule_and_an_owner(organisation, rule, gift):
    GrantRuleFactory()  # somebody else's
    if rule is not None:
        GrantRuleFactory(organisation=organisation, **rule)

    donation = settled(organisation, **gift)

    assert donation.status == "settled"
    assert not CreditGrant.objects.exists()
    assert grant_due(limit=10) == 0


def test_a_gift_in_another_currency_has_a_rule_of_its_own(organisation):
    GrantRuleFactory(organisation=organisation, minor_units_per_credit=100)
    GrantRuleFactory(organisation=organisation, currency="JPY", minor_units_per_credit=1000)

    settled(organisation, 0, amount=250, currency="EUR")
    settled(organisation, 1, amount=3999, currency="JPY")
    write_waiting_grants(timestamp=0)

    assert balance_of(organisation) == 2 + 3


def test_a_gift_that_settled_before_the_rule_grants_nothing(organisation):
    settled(organisation)
    GrantRuleFactory(organisation=organisation)

    assert grant_due(limit=10) == 0


def test_what_was_noted_is_granted_though_the_rule_has_changed(organisation):
    rule = GrantRuleFactory(organisation=organisation)
    settled(organisation)
    rule.minor_units_per_credit, rule.is_active = 1, False
    rule.save()

    grant_due(limit=10)

    assert balance_of(organisation) == 50


def test_a_settlement_that_is_taken_back_notes_nothing(organisation):
    GrantRuleFactory(organisation=organisation)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        settled(organisation)
        raise ZeroDivisionError

    assert not CreditGrant.objects.exists()


def test_webhooks_that_are_replayed_grant_once(organisation, stripe_account):
    GrantRuleFactory(organisation=organisation)
    donation = DonationFactory(organisation=organisation, owner_id="ann")
    paid = charge(5000, donation.id)
    stripe_account.put("balance_transactions", movement("charge", 5000, 100, source=paid))
    message = event("charge.succeeded", data={"object": paid})

    for each in (message, message, event("charge.succeeded", data={"object": paid})):
        deliver(each)
        while drain_due():
            screen_settled(timestamp=0)
            grant_due(limit=10)
    back = refund(paid, 5000)
    stripe_account.put("balance_transactions", movement("refund", -5000, source=back))
    deliver(event("refund.created", data={"object": back}))
    while drain_due():
        grant_due(limit=10)

    donation.refresh_from_db()
    assert donation.status == "refunded"
    assert balance_of(organisation) == 50
    assert Entry.objects.of(organisation, "credits").count() == 2


def test_a_grant_that_was_written_and_forgotten_is_not_written_again(organisation):
    """As after a crash: the nonce knows."""
    GrantRuleFactory(organisation=organisation)
    settled(organisation)
    grant_due(limit=10)
    CreditGrant.objects.update(sequence=None)

    assert grant_due(limit=10) == 1
    assert balance_of(organisation) == 50
    assert CreditGrant.objects.get().sequence == 1


def test_a_gift_grants_nothing_before_the_rules_have_looked_at_it(organisation, only):
    only("settlement", limit=10**6)
    GrantRuleFactory(organisation=organisation)
    charge_of(DonationFactory(organisation=organisation, owner_id="ann"))

    assert grant_due(limit=10) == 0
    screen_settled(timestamp=0)

    assert (grant_due(limit=10), grant_due(limit=10)) == (1, 0)


@pytest.fixture
def held(organisation, only):
    """A gift that would grant credits, and is held."""
    only("settlement")
    GrantRuleFactory(organisation=organisation)
    gift = DonationFactory(organisation=organisation, owner_id="ann")
    charge_of(gift)
    screen_settled(timestamp=0)
    return gift


def charge_of(gift):
    """Book the charge that pays a gift."""
    book_all(gift.organisation, charged(5000, charge="ch_1", donation_id=gift.id))


def test_a_held_gift_grants_once_it_is_released(organisation, held):
    assert grant_due(limit=10) == 0
    assert CreditGrant.objects.of(organisation).counts() == {"all": 0, "waiting": 0}
    assert not Entry.objects.of(organisation, "credits").exists()

    decided(held, "release")

    assert (grant_due(limit=10), grant_due(limit=10)) == (1, 0)
    assert balance_of(organisation) == 50
    assert CreditGrant.objects.of(organisation).counts() == {"all": 1, "waiting": 0}


def test_a_held_gift_that_is_given_back_grants_nothing(organisation, held):
    decided(held, "refuse")
    assert grant_due(limit=10) == 0

    book_all(organisation, moved("refund", -5000, source="re_1", charge="ch_1"))

    held.refresh_from_db()
    assert held.status == "refunded"
    assert grant_due(limit=10) == 0


def test_a_held_gift_grants_nothing_while_its_bank_disputes_it(organisation, held):
    gifts.add_dispute(organisation=organisation, donation_id=held.id, amount=5000)

    assert Donation.objects.get().status == "disputed"
    assert grant_due(limit=10) == 0


def test_the_database_holds_one_grant_a_gift(organisation):
    grant = CreditGrantFactory(organisation=organisation)
    fields = {"organisation": organisation, "donation": grant.donation, "owner_id": "bob"}

    with pytest.raises(IntegrityError), transaction.atomic():
        CreditGrant.objects.create(application="credits", amount=1, **fields)
    for attempt in (
        lambda: CreditGrant.objects.all().delete(),
        lambda: CreditGrant.objects.update(amount=1),
        lambda: CreditGrant.objects.update(owner_id="bob"),
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            attempt()


@pytest.mark.parametrize(
    "fields",
    [
        {"donation": "don_of_nobody"},
        {"sequence": 99},
        {"amount": 0},
        {"amount": -1},
    ],
)
def test_the_database_refuses_a_grant_that_is_none(organisation, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditGrantFactory(organisation=organisation, **fields)


def test_a_grant_of_another_organisations_gift_is_refused(organisation):
    theirs = DonationFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        CreditGrantFactory(organisation=organisation, donation=theirs.id)


def test_a_book_that_cannot_be_written_does_not_hold_up_others(organisation, caplog):
    CreditGrantFactory(organisation=organisation, application="gone")
    CreditGrantFactory(organisation=organisation)
    other = CreditGrantFactory()

    assert grant_due(limit=10) == 2

    assert balance_of(organisation) == balance_of(other.organisation) == 50
    [record] = caplog.records
    assert record.message == "grants postponed"
    assert (record.organisation, record.application) == (organisation.id, "gone")
    assert record.reason.startswith("UnknownApplication")
    assert "ann" not in record.getMessage() + record.reason


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_each_grant_once(monkeypatch):
    organisation = OrganisationFactory()
    CreditGrantFactory.create_batch(20, organisation=organisation)

    def work(_):
        try:
            return sum(grant_due(limit=3) for _ in range(7))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = sum(pool.map(work, range(4)))
    written += grant_due(limit=20)

    assert written == 20
    assert balance_of(organisation) == 20 * 50


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_grants_that_another_worker_writes(application_connection):
    organisation = OrganisationFactory()
    CreditGrantFactory(organisation=organisation)
    other = application_connection()

    with other.transaction(), transaction.atomic(), connection.cursor() as cursor:
        other.execute("SELECT FROM credits_creditgrant FOR UPDATE")
        cursor.execute("SET LOCAL lock_timeout = '5s'")  # instead of for ever
        assert grant_due(limit=10) == 0

    assert grant_due(limit=10) == 1


def rule(organisation, **fields):
    """Set a rule by the service."""
    return services.set_grant_rule(
        **{
            "organisation": organisation,
            "application": "credits",
            "currency": "EUR",
            "minor_units_per_credit": 100,
            "is_active": True,
            "changed_by": None,
            **fields,
        }
    )


def test_a_rule_is_set_changed_and_switched_off(organisation):
    user = UserFactory()
    first = rule(organisation)

    second = rule(organisation, minor_units_per_credit=50, is_active=False, changed_by=user)

    assert first.pk == second.pk
    kept = GrantRule.objects.get()
    assert (kept.minor_units_per_credit, kept.is_active, kept.changed_by) == (50, False, user)
    assert str(kept) == "credits: 1 for 50 EUR"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"application": "nope"}, UnknownApplication),
        ({"application": "public"}, UnknownApplication),
        ({"currency": "XXX"}, RuleRefused),
        ({"minor_units_per_credit": 0}, RuleRefused),
        ({"minor_units_per_credit": 2**53}, RuleRefused),
    ],
)
def test_a_rule_that_means_nothing_is_refused(organisation, fields, refusal):
    with pytest.raises(refusal):
        rule(organisation, **fields)

    assert not GrantRule.objects.exists()


def test_an_application_that_is_not_installed_is_named():
    with pytest.raises(UnknownApplication) as refusal:
        services.application_named("nope")

    assert str(refusal.value) == "No application of credits named 'nope' is installed here."


@pytest.mark.parametrize("minor_units", [1, 2**53 - 1])
def test_a_rule_at_the_edge_of_what_can_be(organisation, minor_units):
    assert rule(organisation, minor_units_per_credit=minor_units).is_active


def test_one_application_grants_for_a_currency(organisation, monkeypatch):
    monkeypatch.setitem(registered, "arcade", registered["credits"].__class__(
        book="arcade", operations=registered["credits"].operations,
        amounts=registered["credits"].amounts,
    ))  # fmt: skip
    rule(organisation)

    with pytest.raises(AnotherRuleActive):
        rule(organisation, application="arcade")
    rule(organisation, application="arcade", currency="USD")
    rule(organisation, application="arcade", is_active=False)
    rule(organisation, minor_units_per_credit=50)
    rule(OrganisationFactory(), application="arcade")
    with pytest.raises(IntegrityError), transaction.atomic():
        GrantRule.objects.update(is_active=True)


def test_the_batch_of_a_task_is_bounded(organisation, monkeypatch):
    monkeypatch.setattr(tasks, "BATCH_MAX", 2)
    CreditGrantFactory.create_batch(5, organisation=organisation)

    with CaptureQueriesContext(connection) as queries:
        write_waiting_grants(timestamp=0)

    assert not CreditGrant.objects.waiting().exists()
    taken = [query["sql"] for query in queries if "SKIP LOCKED" in query["sql"]]
    assert len(taken) == 3
    assert all(" LIMIT 2 " in statement for statement in taken)
