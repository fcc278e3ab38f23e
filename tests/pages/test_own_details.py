"""The donor's own details: what opens the line, and erasing them; for nobody without the link."""

import json

import pytest
from django.test import Client

from donations.services.erasure import erase_donor
from ledger.models import Entry
from tests.factories import DonationFactory
from tests.pages.conftest import text_of
from tests.treasury.movements import book_all, charged


@pytest.fixture
def gift(organisation):
    gift = DonationFactory(
        organisation=organisation,
        amount=5000,
        donor_email="ann@example.org",
        donor_name="Ann Ök",
        public_name="Ann",
    )
    book_all(organisation, charged(5000, 100, donation_id=gift.id))
    gift.refresh_from_db()
    return gift


def own(gift, page="") -> str:
    return f"/donations/{gift.id}{page}?token={gift.token}"


def test_the_page_offers_the_private_proof_and_to_erase(client, gift):
    words = text_of(client.get(own(gift)))

    assert "Its line only commits to your email and name:" in words
    assert "Download your private proof" in words
    assert "Erase my details" in words


def test_the_private_proof_is_a_file(client, gift):
    response = client.get(own(gift, "/opening"))

    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == (
        'attachment; filename="lantern-house-1.opening.json"'
    )
    assert response["Referrer-Policy"] == "strict-origin"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in response["Cache-Control"]
    assert {each["value"] for each in json.loads(response.content)["details"]} == {
        "ann@example.org",
        "Ann Ök",
    }


@pytest.mark.parametrize("page", ["/opening", "/erase"])
@pytest.mark.parametrize("token", ["", "?token=", "?token=0"])
def test_nobody_else_comes_there(client, gift, page, token):
    assert client.get(f"/donations/{gift.id}{page}{token}").status_code == 404
    assert client.post(f"/donations/{gift.id}/erase{token}").status_code == 404
    assert client.get(f"/donations/don_x{page}?token={gift.token}").status_code == 404
    gift.refresh_from_db()
    assert gift.donor_email


def test_a_gift_without_an_entry_has_no_private_proof(client, organisation):
    gift = DonationFactory(organisation=organisation, donor_email="ann@example.org")

    assert client.get(own(gift, "/opening")).status_code == 404
    assert "Download your private proof" not in text_of(client.get(own(gift)))


def test_erasing_is_asked_once_more(client, gift):
    response = client.get(own(gift, "/erase"))

    assert "This is for ever" in text_of(response)
    assert "and “Ann” disappears from the public ledger" in text_of(response)
    assert response["Referrer-Policy"] == "strict-origin"
    gift.refresh_from_db()
    assert gift.erased_at is None


def test_who_showed_no_name_reads_nothing_of_one(client, organisation):
    gift = DonationFactory(organisation=organisation, public_name="")

    assert "disappears" not in text_of(client.get(own(gift, "/erase")))


def test_erased_details_are_gone_from_every_page(client, gift):
    assert "Ann" in text_of(client.get("/o/lantern-house/ledger"))

    response = client.post(own(gift, "/erase"))

    assert (response.status_code, response["Location"]) == (
        303,
        f"http://localhost:8000{own(gift)}",
    )
    assert "Ann" not in text_of(client.get("/o/lantern-house/ledger"))
    words = text_of(client.get(own(gift)))
    assert "Your details were erased" in words
    assert "by a donor whose details were erased" in words
    assert "Erase my details" not in words
    assert client.get(own(gift, "/opening")).status_code == 404


def test_both_entries_say_so(client, gift):
    erase_donor(donation=gift)

    erased = text_of(client.get("/o/lantern-house/ledger/1"))
    erasing = text_of(client.get("/o/lantern-house/ledger/3"))

    assert "Who gave was erased Entry 3 says so." in erased
    assert "It erases who stood behind entry 1" in erasing
    assert "Who gave was erased" not in text_of(client.get("/o/lantern-house/ledger/2"))


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_erased_is_not_asked_again(client, gift, method):
    erase_donor(donation=gift)

    assert getattr(client, method)(own(gift, "/erase")).status_code == 303
    assert Entry.objects.filter(operation="ERASURE").count() == 1


def test_another_site_cannot_erase(gift):
    client = Client(enforce_csrf_checks=True)

    assert client.post(own(gift, "/erase")).status_code == 403
    gift.refresh_from_db()
    assert gift.donor_email


def test_a_gift_of_nobody_has_no_details(client, organisation):
    gift = DonationFactory(organisation=organisation, donor_email="", donor_name="", public_name="")

    assert "Your details" not in text_of(client.get(own(gift)))
