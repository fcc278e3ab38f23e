"""The door under fire: whatever is sent, it is taken in or refused, and never breaks."""

import json
import time

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.stripe_story import SECRET, sign
from tests.webhooks.messages import body_of, deliver, event
from webhooks.models import StripeEvent

pytestmark = pytest.mark.django_db
fuzz = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

WORDS = st.sampled_from(
    ["t", "v0", "v1", "=", ",", " ", "{t}", "{v1}", "-1", "٣", "é", "\x7f", "1_0"]
)
HEADERS = st.lists(WORDS, max_size=12).map("".join) | st.text(
    st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=60
)
TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=8)
NUMBERS = st.integers() | st.integers(-(10**40), 10**40) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["id", "object", "account", "created", "data", "livemode", "type", "context"]


def rows():
    return StripeEvent.objects.count()


@fuzz
@given(header=HEADERS)
@example("t={t},v1={v1}")
@example("t={t}=1,v1={v1}")
@example("v1={v1},t={t},t=x")
def test_any_header(organisation, header):
    body, before = body_of(event()), rows()
    now = int(time.time())
    signature = sign(body, at=now).partition("v1=")[2]

    response = deliver(body, header.replace("{t}", str(now)).replace("{v1}", signature))

    assert response.status_code in {200, 400}
    assert rows() - before == (response.status_code == 200)


@fuzz
@given(body=st.binary(max_size=80) | VALUES.map(body_of))
def test_any_body(organisation, body):
    before = rows()

    response = deliver(body, sign(body, secret=SECRET))

    assert response.status_code == 400
    assert rows() == before


@fuzz
@given(changes=st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1, max_size=2))
@example(changes={"data": {"object": {"client_secret": {"client_secret": 1}}}})
@example(changes={"livemode": True, "account": ""})
@example(changes={"object": "v2.core.event", "context": None})
def test_any_value_in_any_place(organisation, changes):
    before = rows()
    message = event(**changes)

    response = deliver(message)

    assert response.status_code in {200, 400}
    is_new = response.status_code == 200 and response.json()["new"]
    assert rows() - before == is_new
    if is_new:
        assert "client_secret" not in kept(message["id"])


@fuzz
@given(extra=VALUES)
def test_any_value_inside_the_object(organisation, extra):
    before = rows()

    response = deliver(event(data={"object": {"extra": extra}}))

    assert response.status_code in {200, 400}
    assert rows() - before == (response.status_code == 200)


def kept(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM webhooks_stripeevent WHERE id = %s", [name])
        return json.dumps(cursor.fetchone()[0])
