"""What the page of a case shows of Stripe and of messages, in words, and of nobody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from donations.services.holding import hold_settled
from ledger.services.books import open_book
from ledger.services.sealing import seal
from ledger.templatetags.figures import moment
from organisations.models import StripeAccountState
from reviews.models import Case
from reviews.services.deciding import decide
from reviews.services.payout_holds import hold_payouts
from tests.donations.refunds import in_ledger
from tests.factories import (
    BalanceTransactionFactory,
    CaseFactory,
    DeliveryFactory,
    DisputeFactory,
    EndpointFactory,
    OrganisationFactory,
    PayoutFactory,
    StripeEventFactory,
    UserFactory,
)
from tests.treasury.movements import book_all, movement
from treasury.models import BalanceTransaction, PayoutControl, PayoutOrder
from webhooks.models import Attempt

pytestmark = pytest.mark.django_db
NOBODY = "Zoe Secret"


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


def page(client, organisation, kind, subject):
    """Return the words of a case's page."""
    known = Case.objects.filter(kind=kind, subject=subject).first()
    case = known or CaseFactory(organisation=organisation, kind=kind, subject=subject)
    text = client.get(f"/admin/reviews/case/{case.pk}/change/").content.decode()
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("status", "days", "words"),
    [
        ("needs_response", 3, "in the organisation’s Stripe dashboard"),
        ("needs_response", None, "Stripe named no day"),
        ("won", 3, "The organisation won: the money is back."),
        ("something_new", 3, "something new"),
    ],
)
def test_a_dispute_says_how_it_stands(chief, organisation, status, days, words):
    answer_by = days and timezone.now() + timedelta(days=days)
    DisputeFactory(organisation=organisation, stripe_id="dp_1", status=status, answer_by=answer_by)

    text = page(chief, organisation, "dispute", "dp_1")

    assert "At Stripe: the dispute" in text
    assert words in text
    assert ("none is awaited" in text) is (status != "needs_response")


def test_a_payout_says_why_it_failed_whatever_of_it_the_case_is_about(chief, organisation):
    PayoutFactory(
        organisation=organisation,
        stripe_id="po_1",
        status="failed",
        failure_code="account_closed",
        failed_at=timezone.now(),
        bank_name="BANK OF GHENT",
        bank_last4="2606",
    )
    PayoutFactory(organisation=organisation, stripe_id="po_2", bank_name="", bank_last4="")

    text = page(chief, organisation, "payout", "po_1")
    other = page(chief, organisation, "payout", "po_2: composition")

    assert "BANK OF GHENT, account ending in 2606" in text
    assert "Why it failed" in text
    assert "Why it failed" not in other
    assert "not known" in other


def test_what_moved_says_where_it_was_booked(chief, organisation):
    book_all(organisation, movement("something_new", 500, id="txn_1", source="src_1"))
    BalanceTransactionFactory(organisation=organisation, stripe_id="txn_2", sequence=None)

    booked = page(chief, organisation, "unclassified", "txn_1")
    empty = page(chief, organisation, "mismatch", "txn_2")

    sequence = BalanceTransaction.objects.get(stripe_id="txn_1").sequence
    where = f'<a href="/o/lantern/ledger/{sequence}">unclassified</a>'
    assert f"{where}, entry {sequence} of the public book" in booked
    assert "txn_1, src_1" in booked
    assert "nothing: it moved nothing" in empty


def test_an_event_is_told_in_words_and_never_by_its_payload(chief, organisation):
    about = {"object": "billing_portal.session", "id": "bps_1", "name": NOBODY}
    parked = StripeEventFactory(
        organisation=organisation,
        status="parked",
        attempts=8,
        note="StripeRefused.",
        occurred_at=timezone.now(),
        payload={"data": {"object": about}},
    )
    bare = StripeEventFactory(status="done", payload={}, occurred_at=None, account="")

    text = page(chief, organisation, "parked_event", parked.id)
    other = page(chief, organisation, "parked_event", bare.id)

    assert f"{parked.type}: session bps_1" in text
    assert "parked: nothing is done for it until somebody decides" in text
    assert "8 times; the last time: StripeRefused." in text
    assert NOBODY not in text
    assert "not said" in other
    assert "the platform" in other


def test_an_address_says_what_its_server_answered_and_hides_its_token(chief, organisation):
    endpoint = EndpointFactory(
        organisation=organisation,
        url="https://hooks.example.org/in?token=abc123",
        events=["payout.arrived"],
        description="Our accounts",
        failing_since=timezone.now(),
        disabled_at=timezone.now(),
        disabled_reason="Nothing could be delivered.",
    )
    delivery = DeliveryFactory(organisation=organisation, endpoint=endpoint)
    for fields in ({"status_code": 500}, {"error": "It could not be reached."}):
        Attempt.objects.create(
            organisation=organisation,
            delivery=delivery,
            attempted_at=timezone.now(),
            duration_ms=5,
            **fields,
        )

    text = page(chief, organisation, "subscriber", endpoint.id)

    assert "hooks.example.org" in text
    assert "abc123" not in text
    assert "A payout from Stripe is on the bank account" in text
    assert "Nothing could be delivered." in text
    assert "the server answered 500" in text
    assert "It could not be reached." in text


@pytest.mark.parametrize(
    ("deleted_at", "words"), [(None, "messages are sent to it"), (timezone.now(), "deleted,")]
)
def test_an_address_says_whether_it_is_in_use(chief, organisation, deleted_at, words):
    endpoint = EndpointFactory(organisation=organisation, deleted_at=deleted_at)

    assert words in page(chief, organisation, "subscriber", endpoint.id)


@pytest.mark.parametrize(
    "kind", ["dispute", "payout", "unclassified", "parked_event", "subscriber"]
)
def test_of_what_is_not_there_nothing_is_shown(chief, organisation, kind):
    assert "At Stripe:" not in page(chief, organisation, kind, "gone")


# Payouts


@pytest.fixture
def ours(organisation):
    """An account whose payouts the platform times."""
    StripeAccountState.objects.create(
        organisation=organisation, controls_payouts=True, country="TH"
    )
    return organisation


def held_account(organisation):
    return hold_payouts(case=CaseFactory(organisation=organisation, kind="account", subject="a"))


def test_where_payouts_are_not_ours_the_page_says_so(chief, organisation):
    gift = in_ledger(organisation)
    hold_settled(gift)

    for kind, subject in (("account", "a"), ("gift", gift.id)):
        text = page(chief, organisation, kind, subject)
        assert "Its payouts are its own" in text
        assert "Must be decided by" not in text


def test_payouts_that_wait_say_since_when_and_for_how_long_they_may(chief, ours):
    hold = held_account(ours)
    text = page(chief, ours, "account", "a")
    assert "Stripe is being asked to pay out nothing" in text

    PayoutControl.objects.create(
        organisation=ours,
        schedule={"interval": "daily"},
        stopped_at=hold.began_at,
        trouble="Stripe refused: odd.",
    )
    text = page(chief, ours, "account", "a")
    assert "Stripe pays out nothing since" in text
    assert "Stripe refused: odd. It is tried again by itself" in text
    until = hold.began_at + timedelta(days=10)
    assert f"Must be decided by</dt> <dd> <strong>{moment(until)}</strong>" in text
    assert "Let payouts go on" in text

    for person in UserFactory.create_batch(2):
        decide(case=hold.case, by=person, choice="release", reason="It is theirs.")
    text = page(chief, ours, "account", "a")
    assert "They waited from" in text
    assert "Let payouts go on" in text  # as it was decided
    assert "Must be decided by" not in text


def test_an_account_whose_payouts_go_on_says_so(chief, ours):
    assert "<p>They go on.</p>" in page(chief, ours, "account", "a")

    hold_settled(in_ledger(ours))
    PayoutControl.objects.create(
        organisation=ours, schedule={"interval": "daily"}, stopped_at=timezone.now()
    )
    text = page(chief, ours, "account", "a")
    assert "what is free of it is paid out once a day" in text


def test_payouts_by_hand_that_wait_are_nobodys_to_make(chief, ours):
    hold = held_account(ours)
    PayoutControl.objects.create(
        organisation=ours, schedule={"interval": "manual"}, stopped_at=hold.began_at
    )

    text = page(chief, ours, "account", "a")

    assert "nobody may make a payout by hand before this is decided" in text


@pytest.mark.parametrize(
    ("interval", "is_stopped", "words"),
    [
        ("daily", False, "Stripe is being asked to leave what is held on the balance"),
        ("daily", True, "what is free of it is paid out once a day"),
        ("manual", True, "whoever makes payouts by hand leaves there what is held"),
    ],
)
def test_a_held_gift_says_what_becomes_of_payouts(chief, ours, interval, is_stopped, words):
    in_ledger(ours)
    gift = in_ledger(ours)
    hold_settled(gift)
    PayoutControl.objects.create(
        organisation=ours,
        schedule={"interval": interval},
        stopped_at=timezone.now() if is_stopped else None,
    )
    PayoutOrder.objects.bulk_create(
        [
            PayoutOrder(
                organisation=ours,
                currency="EUR",
                day="2026-11-02",
                amount=100,
                status="refused",
                trouble="Stripe refused: balance_insufficient.",
            )
        ]
        if is_stopped
        else []
    )

    text = page(chief, ours, "gift", gift.id)

    assert words in text
    assert "Of that held" in text
    assert ("refused: Stripe refused: balance_insufficient." in text) is is_stopped


@pytest.mark.parametrize("kind", ["audit", "sealing"])
def test_a_public_book_says_how_far_it_is_written_and_signed(chief, organisation, kind):
    book = organisation.books.get()
    assert "nothing yet" in page(chief, organisation, kind, str(book))

    seal(book=book)

    text = page(chief, organisation, kind, str(book))
    assert '<a href="/o/lantern/ledger">1</a>' in text
    assert f"1 of them, {moment(book.recorded_at)[:10]}" in text
    assert "not public" not in text
    assert ("Nothing mends a book by itself" in text) is (kind == "audit")


def test_a_private_book_is_not_linked(chief, organisation):
    open_book(organisation=organisation, name="credits")

    text = page(chief, organisation, "audit", f"{organisation.pk}/credits")
    assert "1, not public" in text
    assert "/o/lantern/ledger" not in text


def test_the_heads_log_is_no_book(chief):
    assert "The book" not in page(chief, None, "audit", "heads")
