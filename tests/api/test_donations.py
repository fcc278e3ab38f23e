"""Gifts over the API: promised, shown, listed; and every way to ask for one wrongly."""

import json
from datetime import date
from urllib.parse import parse_qs

import pytest
from django.test import Client

from donations.models import Donation
from organisations.models import ApiKey
from tests.factories import (
    NOON,
    ApplicantFactory,
    DonationFactory,
    FundFactory,
    OrganisationFactory,
    gift_entries,
    key_of,
)

URL = "/v1/donations"
GIFT = {"amount": 5000, "currency": "EUR", "flow": "checkout"}
pytestmark = pytest.mark.usefixtures("stripe_stand_in")


@pytest.fixture
def caller(organisation, client_of) -> Client:
    """A program of the organisation."""
    return client_of(organisation)


def post(client, body, **headers):
    """Send a body, as JSON or as the bytes it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(URL, raw, content_type="application/json", headers=names)


def error_of(response):
    """Return the field and code of the only error of a 400."""
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    return error["field"], error["code"]


# A gift for the winter shelter with all that can be said of it.
WHOLE = {
    **GIFT,
    "fund": "winter-shelter",
    "donor": {"email": "zoe@example.org", "name": "Zoë"},
    "public_name": " Zoe\u0308 ",
    "success_url": "https://lantern.example/thanks?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://localhost:3000/back",
}


def test_a_gift_is_promised_for_the_checkout_page(caller, organisation):
    FundFactory(organisation=organisation, slug="winter-shelter")

    response = post(caller, WHOLE)

    donation = Donation.objects.get()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "id": donation.id,
        "status": "pending",
        "amount": 5000,
        "currency": "EUR",
        "fund": "winter-shelter",
        "flow": "checkout",
        "interval": None,
        "recurring": None,
        "public_name": "Zoë",
        "owner_id": None,
        "checkout_url": "https://checkout.example/cs_0",
        "payment_intent": None,
        "client_secret": None,
        "journey_url": f"http://localhost:8000/donations/{donation.id}?token={donation.token}",
        "settled_amount": None,
        "settled_currency": None,
        "sequence": None,
        "refunded_amount": 0,
        "payout": None,
        "created_at": f"{donation.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "paid_at": None,
        "settled_at": None,
        "ended_at": None,
    }
    assert (donation.donor_email, donation.donor_name) == ("zoe@example.org", "Zoë")


def test_the_checkout_page_is_opened_on_the_organisations_account(
    caller, organisation, stripe_stand_in
):
    FundFactory(organisation=organisation, slug="winter-shelter")

    post(caller, WHOLE)

    [asked] = stripe_stand_in.asked
    assert asked["account"] == organisation.stripe_account
    assert parse_qs(asked["body"])["success_url"] == [WHOLE["success_url"]]
    assert "application_fee_amount" not in asked["body"]


def test_a_gift_may_repeat(caller, stripe_stand_in):
    promised = post(caller, {**GIFT, "interval": "month"}, Idempotency_Key="gift-1")
    again = post(caller, {**GIFT, "interval": "month"}, Idempotency_Key="gift-1")
    other = post(caller, GIFT, Idempotency_Key="gift-1")

    assert (promised.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert promised.json()["interval"] == "month"
    assert promised.json()["recurring"] == Donation.objects.get().recurring_id
    assert caller.get(URL).json()["results"] == [again.json()]
    assert parse_qs(stripe_stand_in.asked[0]["body"])["mode"] == ["subscription"]


def test_a_payment_intent_cannot_repeat_nor_can_a_gift_every_week(caller):
    refused = post(caller, {**GIFT, "flow": "payment_intent", "interval": "month"})
    unknown = post(caller, {**GIFT, "interval": "week"})

    assert (refused.status_code, refused.json()["code"]) == (400, "repeats_by_checkout_only")
    assert error_of(unknown) == ("interval", "invalid_choice")
    assert not Donation.objects.exists()


def test_a_gift_may_name_who_is_granted_credits(caller, stripe_stand_in):
    promised = post(caller, {**GIFT, "owner_id": " user/4711 é "}, Idempotency_Key="gift-1")
    again = post(caller, {**GIFT, "owner_id": " user/4711 é "}, Idempotency_Key="gift-1")
    other = post(caller, {**GIFT, "owner_id": "another"}, Idempotency_Key="gift-1")

    assert (promised.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert promised.json()["owner_id"] == " user/4711 é "
    assert Donation.objects.get().owner_id == " user/4711 é "
    assert not any("4711" in asked["body"] for asked in stripe_stand_in.asked)


def test_a_payment_intent_gives_its_secret_to_who_promised_only(caller):
    promised = post(caller, {**GIFT, "flow": "payment_intent"}).json()

    shown = caller.get(f"{URL}/{promised['id']}").json()

    assert (promised["payment_intent"], promised["client_secret"]) == ("pi_0", "pi_0_secret_0")
    assert promised["fund"] == "general"
    assert shown == {**promised, "client_secret": None}


@pytest.mark.parametrize("flow", ["checkout", "payment_intent"])
def test_the_same_key_again_answers_the_same_gift(caller, flow):
    first = post(caller, {**GIFT, "flow": flow}, Idempotency_Key="gift-1")

    again = post(caller, {**GIFT, "flow": flow}, Idempotency_Key="gift-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Donation.objects.count() == 1


def test_the_same_key_with_another_gift_is_a_conflict(caller):
    post(caller, GIFT, Idempotency_Key="gift-1")

    response = post(caller, {**GIFT, "amount": 6000}, Idempotency_Key="gift-1")

    assert response.status_code == 409
    assert response.json()["code"] == "idempotency_conflict"
    assert Donation.objects.get().amount == 5000


def test_two_organisations_may_use_the_same_key(caller, client_of):
    post(caller, GIFT, Idempotency_Key="gift-1")

    other = post(client_of(OrganisationFactory()), GIFT, Idempotency_Key="gift-1")

    assert other.status_code == 201


def test_without_a_key_every_call_is_a_gift(caller):
    assert post(caller, GIFT).json()["id"] != post(caller, GIFT).json()["id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "tab\t", "\x7f"])
def test_an_odd_idempotency_key_is_refused(caller, key):
    assert error_of(post(caller, GIFT, Idempotency_Key=key)) == (
        "Idempotency-Key",
        "invalid_idempotency_key",
    )
    assert not Donation.objects.exists()


@pytest.mark.parametrize(
    "amount",
    [
        "1.0", "1e3", "50.5", '"1"', '"5000"', "true", "false", "null", "[]", "{}", "5E3", "-0.0",
        '"\\uff11\\uff12"', "1.0e0",
    ],
)  # fmt: skip
def test_only_an_integer_is_an_amount(caller, amount):
    body = b'{"amount":%s,"currency":"EUR","flow":"checkout"}' % amount.encode()

    field, code = error_of(post(caller, body))

    assert field == "amount"
    assert code in {"invalid", "null"}
    assert not Donation.objects.exists()


@pytest.mark.parametrize("amount", [0, -1, -5000, 2**53, 2**63, 2**63 - 1, 10**400])
def test_an_amount_beyond_the_ledgers_range_is_refused(caller, amount):
    assert error_of(post(caller, {**GIFT, "amount": amount})) == ("amount", "out_of_range")


@pytest.mark.parametrize("amount", ["１２", "+5", "05", "0x10", "5_000", ".5", "NaN", "Infinity"])  # noqa: RUF001
def test_what_json_does_not_call_a_number_is_malformed(caller, amount):
    body = f'{{"amount":{amount},"currency":"EUR","flow":"checkout"}}'.encode()

    response = post(caller, body)

    assert response.status_code == 400
    assert response.json()["code"] == "malformed_request"


def test_an_amount_that_nobody_gives_is_refused(caller):
    response = post(caller, {**GIFT, "amount": 2**53 - 1})

    assert response.status_code == 400
    assert response.json()["code"] == "amount_out_of_range"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"currency": "eur"}, "currency", "lower_case"),
        ({"currency": "XXX"}, "currency", "unknown_currency"),
        ({"currency": "EURO"}, "currency", "unknown_currency"),
        ({"currency": ""}, "currency", "blank"),
        ({"currency": 978}, "currency", "invalid"),
        ({"currency": None}, "currency", "null"),
        ({"flow": "cash"}, "flow", "invalid_choice"),
        ({"flow": []}, "flow", "invalid_choice"),
        ({"fund": "Winter Shelter"}, "fund", "invalid"),
        ({"fund": "x" * 61}, "fund", "max_length"),
        ({"fund": None}, "fund", "null"),
        ({"donor": "zoe@example.org"}, "donor", "invalid"),
        ({"donor": {"email": "zoe"}}, "donor.email", "invalid"),
        ({"donor": {"email": f"{'x' * 250}@a.org"}}, "donor.email", None),
        ({"donor": {"name": "x" * 121}}, "donor.name", "max_length"),
        ({"donor": {"phone": "1"}}, "donor.phone", "unknown_field"),
        ({"donor": []}, "donor", "invalid"),
        ({"public_name": "x" * 81}, "public_name", "max_length"),
        ({"public_name": "a\nb"}, "public_name", "deceptive"),
        ({"public_name": "\u202eevil"}, "public_name", "deceptive"),
        ({"public_name": 7}, "public_name", "invalid"),
        ({"public_name": ["x"]}, "public_name", "invalid"),
        ({"owner_id": ""}, "owner_id", "blank"),
        ({"owner_id": "x" * 129}, "owner_id", "max_length"),
        ({"owner_id": "a\nb"}, "owner_id", "ill_formed"),
        ({"owner_id": "e\u0301"}, "owner_id", "ill_formed"),
        ({"owner_id": 7}, "owner_id", "invalid"),
        ({"success_url": "http://lantern.example"}, "success_url", "not_https"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "invalid_url"),
        ({"success_url": "/thanks"}, "success_url", "invalid_url"),
        ({"success_url": "https://"}, "success_url", "invalid_url"),
        ({"success_url": "https://[x"}, "success_url", "invalid_url"),
        ({"success_url": "https://a.org:99999/"}, "success_url", "invalid_url"),
        ({"success_url": "https://zoe:pw@a.org/"}, "success_url", "invalid_url"),
        ({"success_url": "https://a.org/ü"}, "success_url", "invalid_url"),
        ({"success_url": "https://a.org\\@evil.org/"}, "success_url", "invalid_url"),
        ({"success_url": "https://a.org/" + "x" * 2000}, "success_url", "max_length"),
        ({"cancel_url": 5}, "cancel_url", "invalid"),
        ({"ammount": 5}, "ammount", "unknown_field"),
        ({"x" * 500: 5}, "x" * 100, "unknown_field"),
    ],
)
def test_an_ill_formed_gift_is_refused_by_field(caller, change, field, code):
    found = error_of(post(caller, {**GIFT, **change}))

    assert found[0] == field
    assert code in {None, found[1]}
    assert not Donation.objects.exists()


def test_a_secure_site_sends_donors_back_over_https_only(caller, settings):
    settings.IS_SECURE, settings.SECURE_SSL_REDIRECT = True, False

    response = post(caller, {**GIFT, "success_url": "http://localhost/"})

    assert error_of(response) == ("success_url", "not_https")


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(caller):
    response = caller.post(
        URL,
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_LENGTH="",
    )

    assert response.status_code == 411
    assert response.json()["code"] == "length_required"


def test_what_is_missing_is_named(caller):
    response = post(caller, {})

    assert {(error["field"], error["code"]) for error in response.json()["errors"]} == {
        ("amount", "required"), ("currency", "required"), ("flow", "required"),
    }  # fmt: skip
    assert response.json()["detail"] == "amount: This field is required."


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5", b"true"])
def test_a_body_that_is_no_object_is_refused(caller, body):
    field, _ = error_of(post(caller, body))

    assert field == ""


def test_empty_optional_texts_mean_nothing(caller):
    body = {**GIFT, "donor": {"email": "", "name": ""}, "public_name": ""}

    assert post(caller, body).status_code == 201


def test_an_unknown_fund_is_refused(caller):
    FundFactory(slug="theirs")

    response = post(caller, {**GIFT, "fund": "theirs"})

    assert response.status_code == 400
    assert response.json()["code"] == "unknown_fund"


def test_an_organisation_that_is_not_approved_takes_no_gifts(client_of, db):
    response = post(client_of(ApplicantFactory()), GIFT)

    assert response.status_code == 409
    assert response.json()["code"] == "takes_no_gifts"


def test_when_stripe_does_not_answer_the_same_key_goes_on_later(caller, stripe_stand_in):
    stripe_stand_in.status = 500
    failed = post(caller, GIFT, Idempotency_Key="gift-1")
    stripe_stand_in.status = 200

    again = post(caller, GIFT, Idempotency_Key="gift-1")

    assert failed.status_code == 503
    assert failed.json()["code"] == "try_again_later"
    assert failed["Retry-After"] == "5"
    assert again.json()["checkout_url"] == "https://checkout.example/cs_0"
    assert Donation.objects.count() == 1


def test_a_settled_gift_shows_where_it_stands_in_the_ledger(caller, organisation):
    [entry] = gift_entries(organisation)
    donation = DonationFactory(
        organisation=organisation,
        status=Donation.Status.PARTIALLY_REFUNDED,
        sequence=entry.sequence,
        settled_amount=5000,
        settled_currency="EUR",
        refunded_amount=1000,
        paid_at=NOON,
        settled_at=NOON,
    )

    shown = caller.get(f"{URL}/{donation.id}").json()

    assert (shown["sequence"], shown["settled_currency"], shown["refunded_amount"]) == (
        1, "EUR", 1000,
    )  # fmt: skip
    assert shown["settled_at"] == "2026-11-21T12:00:00Z"
    assert "donor_email" not in shown


@pytest.mark.parametrize(
    ("arrived_on", "shown"), [(None, None), (date(2026, 11, 23), "2026-11-23")]
)
def test_a_gift_shows_the_payout_that_takes_it_to_the_bank(caller, organisation, arrived_on, shown):
    donation = DonationFactory(
        organisation=organisation, payout="po_1", payout_arrived_on=arrived_on
    )

    told = caller.get(f"{URL}/{donation.id}").json()

    assert told["payout"] == {"id": "po_1", "arrived_on": shown}


def test_the_list_is_the_organisations_own_newest_first(caller, organisation):
    older, newer = DonationFactory.create_batch(2, organisation=organisation)
    DonationFactory()

    found = caller.get(URL).json()

    assert [row["id"] for row in found["results"]] == [newer.id, older.id]
    assert found["results"][0]["client_secret"] is None


def test_a_strangers_gift_is_not_there(caller):
    theirs = DonationFactory()

    for name in (theirs.id, "don_x", "%00", "a/b", "don%20"):
        response = caller.get(f"{URL}/{name}")

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"


def test_a_key_without_the_scope_is_refused(client_of, organisation):
    caller = client_of(organisation, ApiKey.Scope.LEDGER)

    for response in (caller.get(URL), post(caller, GIFT), caller.get(f"{URL}/don_x")):
        assert response.status_code == 403
        assert response.json()["code"] == "scope_missing"


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Basic dTpw", "Token sk_test_x", "Bearer sk_test_short", "\xff",
        "Bearer sk_test_" + "é" * 43, "Bearer " + "x" * 100_000, "Bearer sk_test_" + "x" * 43,
        "Bearer \x00", "Bearer sk_test_" + "\u0661".encode().decode("latin-1") * 43,
    ],
)  # fmt: skip
def test_what_is_no_key_of_ours_is_a_401(client, organisation, header):
    response = client.get(URL, headers={"Authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="almoner"'
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "authentication_failed"


def test_nobody_is_asked_for_a_key(client, db):
    response = client.post(URL, b"{", content_type="application/json")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="almoner"'
    assert response.json()["code"] == "not_authenticated"


def test_a_key_that_ends_otherwise_is_refused(client, organisation):
    secret = key_of(organisation)
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")

    assert client.get(URL, headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
    assert client.get(URL, headers={"Authorization": f"bearer {secret}"}).status_code == 200


def test_a_revoked_key_is_refused(client, organisation):
    secret = key_of(organisation)
    ApiKey.objects.update(revoked_at=NOON)

    assert client.get(URL, headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_query_for_another_format_changes_nothing(caller):
    assert caller.get(f"{URL}?format=html").status_code == 200
