"""The door that Stripe knocks on: what comes in, and what of it is kept."""

import json
import logging

import pytest
from django.test import Client

from tests.factories import ApplicantFactory
from tests.stripe_story import sign
from tests.webhooks.messages import CLIENT_SECRET, EMAIL, URL, body_of, deliver, event
from webhooks.models import StripeEvent

pytestmark = pytest.mark.django_db
MIB = 1_048_576


@pytest.fixture(autouse=True)
def told(caplog):
    """Whatever happens is told in one record, without the body, its persons and its secrets."""
    yield caplog
    records = [record for record in caplog.records if record.name == "almoner.webhooks"]
    for record in records:
        text = json.dumps(vars(record), default=str)
        assert record.outcome
        assert record.reason
        for private in (EMAIL, CLIENT_SECRET, "whsec_", "payment_intent", "v1="):
            assert private not in text


def outcomes(caplog):
    records = [record for record in caplog.records if record.name == "almoner.webhooks"]
    return [(record.levelno, record.outcome, record.reason) for record in records]


def test_an_event_is_verified_stored_and_answered(organisation, caplog):
    message = event(account=organisation.stripe_account)

    response = deliver(message)

    assert (response.status_code, response.json()) == (200, {"received": True, "new": True})
    row = StripeEvent.objects.get()
    assert (row.id, row.type, row.account) == (message["id"], "charge.updated", "acct_1")
    assert (row.status, row.organisation, row.attempts) == ("pending", organisation, 0)
    assert row.occurred_at.timestamp() == message["created"]
    assert outcomes(caplog) == [(logging.INFO, "stored", "verified")]


def test_an_event_that_comes_again_is_answered_and_changes_nothing(organisation, caplog):
    message = event()
    deliver(message)
    StripeEvent.objects.update(status="done")

    response = deliver({**message, "type": "charge.failed"})

    assert (response.status_code, response.json()["new"]) == (200, False)
    row = StripeEvent.objects.get()
    assert (row.status, row.type) == ("done", "charge.updated")
    assert [outcome for _, outcome, _ in outcomes(caplog)] == ["stored", "seen_before"]


def test_what_is_kept_has_no_client_secret(organisation):
    secret = {"client_secret": CLIENT_SECRET}
    object_ = {"amount": 1, "rate": 0.00612, "none": None, **secret, "list": [{"a": [secret]}]}

    deliver(event(data={"object": object_, "previous_attributes": secret}))

    kept = StripeEvent.objects.get().payload["data"]
    assert kept == {
        "object": {"amount": 1, "rate": 0.00612, "none": None, "list": [{"a": [{}]}]},
        "previous_attributes": {},
    }


def test_a_client_secret_whose_name_is_escaped_is_not_kept_either(organisation):
    body = body_of(event())
    spelled = body.replace(b'"client_secret"', b'"client\\u005fsecret"')
    assert spelled != body

    deliver(spelled)

    assert "client_secret" not in StripeEvent.objects.get().payload["data"]["object"]


def test_what_looks_like_a_client_secret_in_a_text_is_kept(organisation):
    object_ = {"description": "client_secret \\ \u2028 Zoë", "list": [1, [{}]]}

    deliver(event(data={"object": object_}))

    assert StripeEvent.objects.get().payload["data"]["object"] == object_


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"account": "acct_other"}, "unknown account"),
        ({"account": "acct_applied"}, "organisation is not approved"),
        ({"account": None}, "of the platform's own account"),
        ({"livemode": True}, "livemode is not ours"),
        ({"object": "v2.core.event", "context": "acct_1", "data": None}, "thin event"),
    ],
)
def test_what_is_not_for_us_is_stored_and_ignored(organisation, caplog, changes, note):
    ApplicantFactory(stripe_account="acct_applied")

    response = deliver(event(**changes))

    assert response.status_code == 200
    row = StripeEvent.objects.get()
    assert (row.status, row.note, row.organisation) == ("ignored", note, None)
    assert outcomes(caplog) == [(logging.INFO, "stored", note)]


def test_a_live_site_ignores_what_is_of_test_mode(organisation, settings):
    settings.STRIPE_LIVEMODE = True

    deliver(event())
    deliver(event(livemode=True))

    rows = StripeEvent.objects.order_by("received_at").values_list("livemode", "status")
    assert list(rows) == [(False, "ignored"), (True, "pending")]


def test_unknown_types_and_fields_of_the_future_are_stored(organisation):
    deliver(event("donation.telepathy.received", data={"object": {}}))
    deliver(event(new_field={"a": [1, 2.5, None]}, reason={"type": "automation"}))

    assert StripeEvent.objects.filter(status="pending").count() == 2


@pytest.mark.parametrize(
    "message",
    [
        b"[]",
        b"null",
        b"{}",
        b'"x"',
        b"",
        b"1",
        b"{",
        b"\xef\xbb\xbf{}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        body_of(event(deep=json.loads("[" * 32 + "]" * 32))),
        body_of(event()).replace(b'"id"', b'"id": "evt_first", "id"', 1),
        body_of(event()).replace(b'"id": "pi_1"', b'"id": "pi_0", "id": "pi_1"'),
        body_of(event(number=float("nan"))),
        body_of(event(number=float("inf"))),
        body_of(event()).replace(b"1791191551", b"1791191551, " + b'"big": 1e999'),
        body_of(event()).replace(b"1791191551", b"1791191551, " + b'"big": ' + b"9" * 5000),
        body_of(event(text="\x00")).replace(b"\x00", b"\\u0000"),
        body_of(event(text="\x00")),
        body_of(event()).replace(b"pi_1", b"\\ud800"),
        body_of(event(**{"\\": 1})).replace(b'"\\\\"', b'"\\udfff"'),
        body_of(event(object="charge")),
        body_of(event(object=["event"])),
        body_of(event(id="")),
        body_of(event(id=None)),
        body_of(event(id=5)),
        body_of(event(id="e" * 256)),
        body_of(event(type=None)),
        body_of(event(type={})),
        body_of(event(account=["acct_1"])),
        body_of(event(account={"id": "acct_1"})),
        body_of(event(account="a" * 256)),
        body_of(event(livemode=None)),
        body_of(event(livemode="false")),
        body_of(event(livemode=0)),
        body_of(event(created=None)),
        body_of(event(created=-1)),
        body_of(event(created=2**32)),
        body_of(event(created=True)),
        body_of(event(created=1.5)),
        body_of(event(created="1791191551")),
        body_of(event(data=None)),
        body_of(event(data=[])),
        body_of(event(data=[1])),
        body_of(event(data="x")),
        body_of(event(data=5)),
        body_of(event(data={"object": None})),
        body_of(event(data={"object": "ch_1"})),
        body_of(event(data={"object": []})),
    ],
)
def test_what_is_signed_but_no_event_is_refused_and_leaves_no_row(organisation, caplog, message):
    response = deliver(message)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_event")
    assert response["Content-Type"] == "application/problem+json"
    assert not StripeEvent.objects.exists()
    [(level, outcome, _)] = outcomes(caplog)
    assert (level, outcome) == (logging.WARNING, "invalid_event")


@pytest.mark.parametrize("body", [b"\xff", b'{"id": "\xe9"}', b"\xed\xa0\x80"])
def test_bytes_that_are_not_utf_8_are_refused(organisation, caplog, body):
    response = deliver(body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_signature")
    assert not StripeEvent.objects.exists()
    assert outcomes(caplog) == [
        (logging.WARNING, "invalid_signature", "The body is not UTF-8."),
    ]


@pytest.mark.parametrize("header", ["", "t=1,v1=0", "v1=é", "\x80", "t=1,v1=\udcff"])
def test_what_is_not_signed_is_refused(organisation, caplog, header):
    response = deliver(event(), header)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_signature")
    assert not StripeEvent.objects.exists()
    assert [outcome for _, outcome, _ in outcomes(caplog)] == ["invalid_signature"]


def test_a_message_without_the_header_is_refused(organisation, caplog):
    response = Client().post(URL, event(), content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "invalid_signature")
    assert outcomes(caplog)[0][2] == "The header Stripe-Signature is missing."


def test_one_mebibyte_is_taken_and_one_byte_more_is_not(organisation, caplog):
    def filled(size):
        message = event(filler="")
        return body_of({**message, "filler": "x" * (size - len(body_of(message)))})

    taken, refused = deliver(filled(MIB)), deliver(filled(MIB + 1))

    assert (taken.status_code, refused.status_code) == (200, 413)
    assert refused.json()["code"] == "body_too_large"
    assert StripeEvent.objects.count() == 1
    assert [outcome for _, outcome, _ in outcomes(caplog)] == ["stored", "body_too_large"]


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ([], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.9", 200),
        (["198.51.100.0/24", "203.0.113.0/24"], "203.0.113.9", 200),
        (["2001:db8::/32"], "2001:db8::7", 200),
        (["203.0.113.9"], "203.0.113.10", 403),
        (["203.0.113.9"], "2001:db8::7", 403),
        (["203.0.113.9"], "", 403),
        (["203.0.113.9"], "unix:", 403),
    ],
)
def test_only_allowed_addresses_may_deliver(settings, caplog, allowed, address, status):
    settings.STRIPE_WEBHOOK_ALLOWED_IPS = allowed

    response = deliver(event(), REMOTE_ADDR=address)

    assert response.status_code == status
    assert StripeEvent.objects.count() == (1 if status == 200 else 0)
    assert outcomes(caplog)[0][1] == ("stored" if status == 200 else "address_refused")


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("203.0.113.9", 200),
        ("198.51.100.7, 203.0.113.9", 200),
        ("203.0.113.9, 198.51.100.7", 403),
        ("203.0.113.9, unknown", 403),
        ("", 403),
    ],
)
def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(settings, forwarded, status):
    settings.STRIPE_WEBHOOK_ALLOWED_IPS = ["203.0.113.9"]
    settings.TRUSTED_PROXY_COUNT = 1

    response = deliver(event(), REMOTE_ADDR="172.18.0.5", HTTP_X_FORWARDED_FOR=forwarded)

    assert response.status_code == status


@pytest.mark.parametrize("accept", ["*/*; q=0.5, application/xml", "application/xml", "x", ""])
def test_the_answer_is_json_whatever_the_sender_accepts(organisation, accept):
    response = deliver(event(), HTTP_ACCEPT=accept)

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data; boundary=x", "é"])
def test_the_bytes_count_whatever_they_are_called(organisation, content_type):
    body = body_of(event())
    headers = {"Stripe-Signature": sign(body)}

    response = Client().generic("POST", URL, body, content_type, headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_the_door_is_for_messages_alone(method):
    response = getattr(Client(), method)(URL)

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
