"""Refunds over the API, at the real sandbox."""

import json

import pytest

from donations.models import Donation, RefundRequest
from organisations.models import ApiKey
from tests.donations.conftest import organisation, sandbox_process, sandbox_stripe
from tests.donations.refunds import in_ledger, refunded, settled_gift
from tests.factories import DonationFactory, OrganisationFactory, RefundRequestFactory

__all__ = ["organisation", "sandbox_process", "sandbox_stripe"]
SCOPE = ApiKey.Scope.REFUNDS


@pytest.fixture
def gift(sandbox_stripe, organisation) -> Donation:
    """A gift of 50.00 EUR in the ledger."""
    return settled_gift(sandbox_stripe, organisation)


@pytest.fixture
def caller(client_of, organisation):
    """A program of the organisation that may give back."""
    return client_of(organisation, SCOPE)


def post(client, gift, body=None, key="k"):
    """Ask for a refund."""
    headers = {"Idempotency-Key": key} if key is not None else {}
    url = f"/v1/donations/{gift.id}/refunds"
    return client.post(url, json.dumps(body or {}), "application/json", headers=headers)


def at_stripe(sandbox, gift):
    return [one["amount"] for one in sandbox.list("refunds", gift.organisation.stripe_account)]


def test_a_part_is_given_back(caller, gift, sandbox_stripe):
    response = post(caller, gift, {"amount": 1234, "reason": "duplicate"})

    refund = RefundRequest.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": refund.id,
        "donation": gift.id,
        "status": "succeeded",
        "amount": 1234,
        "currency": "EUR",
        "reason": "duplicate",
        "stripe_refund": refund.stripe_refund,
        "refusal_code": None,
        "refusal": None,
        "failure": None,
        "created_at": f"{refund.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert refund.requested_by is None
    assert at_stripe(sandbox_stripe, gift) == [1234]


def test_without_an_amount_it_is_all_and_the_same_again_answers_200(caller, gift, sandbox_stripe):
    first, again = post(caller, gift), post(caller, gift)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["amount"] == 5000
    assert at_stripe(sandbox_stripe, gift) == [5000]


def test_the_same_key_for_another_refund_is_a_conflict(caller, gift, sandbox_stripe):
    post(caller, gift, {"amount": 1})

    response = post(caller, gift, {"amount": 2})

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert at_stripe(sandbox_stripe, gift) == [1]


def test_what_cannot_be_given_back_says_why(caller, gift, organisation):
    unpaid = DonationFactory(organisation=organisation)
    answers = [post(caller, gift, {"amount": 5001}), post(caller, unpaid)]
    refunded(gift)
    answers.append(post(caller, gift))

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(400, "refund_too_large"), (409, "not_refundable"), (409, "not_refundable")]


def test_what_stripe_refuses_is_a_problem_each_time(caller, gift, organisation, sandbox_stripe):
    [charge] = sandbox_stripe.list("charges", organisation.stripe_account)
    sandbox_stripe.control(f"charges/{charge['id']}/dispute")

    first, again = post(caller, gift), post(caller, gift)

    for answer in (first, again):
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_refused")
        assert "The donor has disputed this payment" in answer.json()["detail"]
    [row] = caller.get(f"/v1/donations/{gift.id}/refunds").json()["results"]
    assert (row["status"], row["refusal_code"]) == ("refused", "charge_disputed")
    assert row["refusal"] == first.json()["detail"]


@pytest.mark.parametrize(
    ("body", "key", "error"),
    [
        ({}, None, ("Idempotency-Key", "required")),
        ({}, "", ("Idempotency-Key", "invalid_idempotency_key")),
        ({"amount": "1"}, "k", ("amount", "invalid")),
        ({"amount": 0}, "k", ("amount", "out_of_range")),
        ({"reason": "whim"}, "k", ("reason", "invalid_choice")),
        ({"note": "x"}, "k", ("note", "unknown_field")),
    ],
)
def test_a_request_that_is_not_clear_is_refused(caller, organisation, body, key, error):
    response = post(caller, DonationFactory(organisation=organisation), body, key)

    assert response.status_code == 400
    [told] = response.json()["errors"]
    assert (told["field"], told["code"]) == error


def test_refunds_are_listed_newest_first(caller, organisation):
    gift = in_ledger(organisation)
    rows = [RefundRequestFactory(donation=gift) for _ in range(2)]
    RefundRequestFactory(donation=in_ledger(organisation))

    told = caller.get(f"/v1/donations/{gift.id}/refunds").json()

    assert [row["id"] for row in told["results"]] == [rows[1].id, rows[0].id]
    assert [row["status"] for row in told["results"]] == ["requested", "requested"]


def test_another_organisations_gift_is_not_there(caller):
    theirs = DonationFactory(organisation=OrganisationFactory())

    assert post(caller, theirs).status_code == 404
    assert caller.get(f"/v1/donations/{theirs.id}/refunds").status_code == 404


def test_a_key_for_gifts_gives_nothing_back(client_of, organisation):
    response = post(client_of(organisation), DonationFactory(organisation=organisation))

    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
    assert not RefundRequest.objects.exists()
