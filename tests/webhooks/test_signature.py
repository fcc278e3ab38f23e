"""Whether a message is Stripe's."""

import time

import pytest
import stripe
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.stripe_story import sign
from webhooks.errors import InvalidSignature
from webhooks.services.signature import HEADER_MAX, verify

BODY = '{"name": "Zoë"}'.encode()
CURRENT, PREVIOUS = "whsec_test_current", "whsec_test_previous"
NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: float(NOW))


def signature(**options):
    return sign(BODY, **options).partition("v1=")[2]


@pytest.mark.parametrize("secret", [CURRENT, PREVIOUS])
def test_either_secret_counts_while_they_are_changed(secret):
    verify(BODY, sign(BODY, secret=secret))


def test_stripe_signs_with_both_secrets_while_they_are_changed(settings):
    header = f"t={NOW},v1={signature(secret='whsec_new')},v1={signature(secret=PREVIOUS)}"
    verify(BODY, header)

    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]

    verify(BODY, header)


def test_a_secret_that_was_taken_out_counts_no_more(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [CURRENT]

    with pytest.raises(InvalidSignature):
        verify(BODY, sign(BODY, secret=PREVIOUS))


@pytest.mark.parametrize("secrets", [[], ["whsec_other"], [""], [" "]])
def test_without_our_secret_nothing_is_signed(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets

    with pytest.raises(InvalidSignature):
        verify(BODY, sign(BODY))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_a_message_within_five_minutes_is_taken(seconds):
    verify(BODY, sign(BODY, at=NOW + seconds))


@pytest.mark.parametrize("seconds", [-(10**9), -301, 301, 10**9])
def test_a_message_too_old_or_from_the_future_is_refused(seconds):
    with pytest.raises(InvalidSignature, match="too old, or from the future"):
        verify(BODY, sign(BODY, at=NOW + seconds))


def test_signatures_of_other_schemes_may_stand_beside_ours():
    verify(BODY, f"t={NOW},v0={'0' * 64},v1={signature()}")
    verify(BODY, f"v1={signature()},v0=x,t={NOW}")
    verify(BODY, f"t={NOW},v1={'0' * 64},v1={signature()}")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t",
        "v1",
        ",,,=,",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v1={'0' * 64}",
        f"t={NOW},v0={{signature}}",
        f"t={NOW},V1={{signature}}",
        "v1={signature}",
        "t=,v1={signature}",
        "t=soon,v1={signature}",
        f"t={NOW + 1},v1={{signature}}",
        f"t={NOW + 1},t={NOW},v1={{signature}}",
        f"t={NOW}, v1={{signature}}",
        f"t={NOW},v1={{signature}}é",
        f"t={NOW},v1={{signature}},v2=\x80",
        f"t={NOW},v1=\udcff,v1={{signature}}",
        f"t={NOW},v1={{signature}}," + "x" * HEADER_MAX,
        f"t={'9' * 4000},v1={{signature}}",
    ],
)
def test_a_header_that_says_anything_else_is_refused(header):
    with pytest.raises(InvalidSignature):
        verify(BODY, header and header.replace("{signature}", signature()))


WORDS = st.sampled_from(["t", "v0", "v1", "=", ",", " ", "{t}", "{v1}", "-1", "1_0", "x"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=12).map("".join))
@example("t={t},v1={v1}")
@example("t={t},v1,v1={v1}")
@example("t={t},t,v1={v1}")
@example("t= {t}=x,v1={v1}=x")
@example("v1={v1},v1=x,t={t},t=x")
def test_a_header_says_what_stripes_own_library_reads(header):
    header = header.replace("{t}", str(NOW)).replace("{v1}", sign(BODY).partition("v1=")[2])

    assert is_taken(header) == is_taken_by_the_library(header)


def is_taken(header):
    try:
        verify(BODY, header)
    except InvalidSignature as error:
        return "too old" in str(error)
    return True


def is_taken_by_the_library(header):
    try:
        return stripe.WebhookSignature.verify_header(BODY, header, CURRENT)
    except stripe.SignatureVerificationError:
        return False


def test_the_moment_is_read_as_the_library_reads_it():
    verify(BODY, f"t={NOW}=junk,v1={signature()}=junk")
    with pytest.raises(InvalidSignature, match="too old, or from the future"):
        verify(BODY, sign(BODY, at=10**400))


@pytest.mark.parametrize("body", [b"", b" " + BODY, BODY + b"\n", b"\xef\xbb\xbf" + BODY])
def test_the_bytes_are_signed_not_what_they_mean(body):
    header = sign(BODY)

    with pytest.raises(InvalidSignature):
        verify(body, header)


@pytest.mark.parametrize("body", [b"\xff", b'{"name": "Zo\xeb"}', b"\xed\xa0\x80", b"\xc0\x80"])
def test_bytes_that_are_not_utf_8_are_refused_though_signed(body):
    with pytest.raises(InvalidSignature, match="not UTF-8"):
        verify(body, sign(body))
