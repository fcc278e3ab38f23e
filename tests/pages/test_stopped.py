"""Visitors who are stopped: they read why, can go on, or reach a person; nothing is charged."""

import re

import pytest
from django.utils import timezone

from donations import door
from donations.models import Donation
from organisations.models import Organisation
from reviews.models import Attempt, Case, Watched
from reviews.services.attempts import Payment, record_declined
from reviews.traits import key_of
from tests.pages.conftest import text_of
from tests.reviews.test_puzzles import worked_out

URL = "/o/lantern-house/donate"
EMAIL = "zoe@example.org"
GIFT = {
    "currency": "EUR",
    "amount": "2500",
    "fund": "winter-shelter",
    "public": "no",
    "email": EMAIL,
}


@pytest.fixture
def client(client, organisation, stripe_stand_in, settings):
    """A visitor's browser behind one proxy, with a charity to give to."""
    settings.TRUSTED_PROXY_COUNT = 1
    settings.SUPPORT_EMAIL = "help@example.org"
    return client


def give(client, number, address="203.0.113.7", **fields):
    gift = {**GIFT, "email": f"donor{number}@example.org", "key": f"a-key-of-a-form-{number:04}"}
    return client.post(URL, gift | fields, headers={"X-Forwarded-For": address})


def hidden_fields(page):
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def challenged(client):
    # 203.0.113.0/24 is for documentation and no public address; 198.41.0.4 is.
    for number in range(5):
        assert give(client, number, address="198.41.0.4").status_code == 303
    return give(client, 5, address="198.41.0.4")


def test_after_too_many_gifts_a_browser_works_for_the_next(client):
    page = challenged(client)

    assert page.status_code == 429
    assert "One moment, please" in text_of(page)
    assert "help@example.org" in text_of(page)
    assert Donation.objects.count() == 5

    fields = hidden_fields(page.content.decode())
    assert fields["email"] == "donor5@example.org"
    fields["solution"] = worked_out(fields["puzzle"])
    passed = client.post(URL, fields, headers={"X-Forwarded-For": "198.41.0.4"})

    assert passed.status_code == 303
    assert Donation.objects.count() == 6
    tried = Attempt.objects.filter(reference=f"form:{fields['key']}")
    assert [attempt.gift for attempt in tried] == [Donation.objects.latest("created_at").id]


@pytest.mark.parametrize("solution", ["", "0", "x" * 500])
def test_without_the_work_the_page_comes_again(client, solution):
    fields = hidden_fields(challenged(client).content.decode())

    again = client.post(
        URL, {**fields, "solution": solution}, headers={"X-Forwarded-For": "198.41.0.4"}
    )

    assert again.status_code == 429
    assert hidden_fields(again.content.decode())["puzzle"] != fields["puzzle"]


def test_others_are_not_asked_for_it(client):
    challenged(client)

    assert give(client, 6, address="198.41.0.5").status_code == 303


def test_after_many_declined_cards_there_is_a_pause_that_accuses_nobody(client):
    organisation = Organisation.objects.get(slug="lantern-house")
    declined = [
        Payment(
            *(f"don_{number}", f"ch_{number}", timezone.now(), 2500, "EUR"),
            email=key_of("email", EMAIL),
        )
        for number in range(5)
    ]
    record_declined(organisation=organisation, payments=declined)

    page = give(client, 1, email=EMAIL)

    assert page.status_code == 429
    text = text_of(page)
    assert "We cannot take this gift now" in text
    assert "It says nothing about you" in text
    assert "help@example.org" in text
    assert not Donation.objects.exists()

    # The hour is over, and the declined cards are older than ten minutes.
    Watched.objects.exclude(until=None).update(until=timezone.now())
    Attempt.objects.all().delete()
    assert give(client, 2, email=EMAIL).status_code == 303


def test_an_attack_on_one_form_is_one_case_and_ends_by_itself(client):
    organisation = Organisation.objects.get(slug="lantern-house")
    now = timezone.now()
    Attempt.objects.bulk_create(
        Attempt(
            organisation=organisation,
            kind="promised",
            reference=f"r{number}",
            session=f"s{number}",
            at=now,
        )
        for number in range(30)
    )

    for number in range(10):
        page = give(client, number, address=f"198.41.0.{number}")
        assert page.status_code == 429

    assert not Donation.objects.exists()
    case = Case.objects.get()
    assert (case.kind, case.subject) == ("card_testing", organisation.id)

    # The ten minutes are over, and the attempts are older than a minute.
    Watched.objects.exclude(until=None).update(until=timezone.now())
    Attempt.objects.all().delete()
    door.shown.clear()  # the second is over
    assert give(client, 11, address="198.41.0.11").status_code == 303
