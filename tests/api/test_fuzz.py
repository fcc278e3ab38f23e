"""Whatever is sent, the API answers; it never breaks."""

import json
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from donations.models import Donation

patient = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
wild_text = st.text(st.characters())
GIFT = {
    "amount": st.integers() | st.just(5000) | anything,
    "currency": st.sampled_from(["EUR", "JPY", "KWD", "eur", "XXX"]) | wild_text,
    "flow": st.sampled_from(["checkout", "payment_intent"]) | anything,
}
EXTRAS = {
    "fund": st.just("general") | wild_text,
    "donor": st.fixed_dictionaries({}, optional={"email": wild_text, "name": wild_text}) | anything,
    "public_name": wild_text,
    "success_url": st.from_regex(r"https?://[^\s]*") | wild_text,
    "cancel_url": wild_text,
}


@pytest.fixture
def caller(organisation, client_of, stripe_stand_in) -> Client:
    """A program of an organisation that can take gifts."""
    return client_of(organisation)


def check(response):
    """Hold what every answer must be."""
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert set(response.json()) >= {"type", "title", "status", "code", "detail"}


@patient
@given(st.binary(max_size=400))
@example(b"[" * 100_000)
@example(b'{"amount":' * 50_000)
@example(b'{"amount":1e999999999,"currency":"EUR","flow":"checkout"}')
@example(b'{"amount":' + b"9" * 100_000 + b"}")
@example(b"\x00")
def test_any_bytes(caller, raw):
    check(caller.post("/v1/donations", raw, content_type="application/json"))


@patient
@given(st.fixed_dictionaries(GIFT, optional=EXTRAS))
def test_any_gift(caller, gift):
    response = caller.post("/v1/donations", json.dumps(gift), content_type="application/json")

    check(response)
    if response.status_code == 201:
        assert Donation.objects.get(id=response.json()["id"]).amount == gift["amount"]


@patient
@given(anything)
def test_any_json(caller, value):
    check(caller.post("/v1/donations", json.dumps(value), content_type="application/json"))


@patient
@given(
    st.sampled_from(
        ["Authorization", "Idempotency-Key", "Accept", "Content-Type", "If-None-Match"]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
)
def test_any_header(caller, name, value):
    check(caller.get("/v1/donations", headers={name: value}))
    check(caller.get("/v1/public/organisations/lantern/ledger/head", headers={name: value}))


@patient
@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60))
def test_any_content_type(caller, content_type):
    for prefix in ("", "application/json;", "multipart/form-data; boundary=", "application/"):
        check(caller.post("/v1/donations", b"{}", content_type=prefix + content_type))


@patient
@given(
    st.sampled_from(["cursor", "page_size", "operation", "since", "until", "format"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
def test_any_query(client, organisation, name, value):
    base = "/v1/public/organisations/lantern/ledger"
    for path in (base, f"{base}/export", f"{base}/head", "/v1/public/organisations"):
        check(client.get(path, {name: value}))


@patient
@given(st.binary(max_size=60))
def test_any_path(client, organisation, raw):
    name = quote(raw)
    for path in (
        f"/v1/{name}",
        f"/v1/public/organisations/{name}",
        f"/v1/public/organisations/{name}/ledger/export",
        f"/v1/public/organisations/lantern/ledger/entries/{name}",
    ):
        check(client.get(path))
