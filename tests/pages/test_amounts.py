"""What a visitor types as an amount: taken when it can mean one thing only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import exponent_of
from donations.forms.amounts import AmountUnclear, parse_amount


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("40", "EUR", 4000),
        ("40.23", "EUR", 4023),
        ("0.50", "EUR", 50),
        ("1000", "EUR", 100_000),
        ("1000", "JPY", 1000),
        ("7", "KWD", 7000),
        ("7.50", "KWD", 7500),
    ],
)
def test_a_clear_amount_is_taken(text, currency, minor):
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("", "EUR", "Enter an amount"),
        ("7,5", "EUR", "without a comma"),
        ("40,23", "EUR", "without a comma"),
        ("1,000", "EUR", "without a comma"),
        ("1.000", "EUR", "2 decimals after a point"),
        ("1.000", "JPY", "no decimals"),
        ("1.000", "KWD", "2 decimals after a point"),
        ("40.2", "EUR", "such as 40 or 40.25"),
        ("40.", "EUR", "2 decimals"),
        (".50", "EUR", "2 decimals"),
        ("1.000.00", "EUR", "2 decimals"),
        ("40.50", "JPY", "such as 4000"),
        ("1 000", "EUR", "digits 0 to 9"),
        ("007", "EUR", "digits 0 to 9"),
        ("+40", "EUR", "digits 0 to 9"),
        ("-40", "EUR", "digits 0 to 9"),
        ("1e3", "EUR", "digits 0 to 9"),
        ("٤٠", "EUR", "digits 0 to 9"),
        ("\uff14\uff10", "EUR", "digits 0 to 9"),
        ("40\n", "EUR", "digits 0 to 9"),
        ("40 €", "EUR", "digits 0 to 9"),
        ("9" * 14, "EUR", "digits 0 to 9"),
    ],
)
def test_an_unclear_amount_is_refused_with_a_way_to_write_it(text, currency, words):
    with pytest.raises(AmountUnclear, match=words):
        parse_amount(text, currency)


@given(st.integers(0, 10**13 - 1), st.integers(0, 99), st.sampled_from(["EUR", "USD", "JPY"]))
def test_what_is_written_by_the_rule_means_itself(whole, part, currency):
    text = f"{whole}.{part:02d}" if exponent_of(currency) else str(whole)

    minor = parse_amount(text, currency)

    assert minor == (whole * 100 + part if exponent_of(currency) else whole)


@given(st.text(max_size=12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_any_text_is_an_amount_of_plain_digits_or_refused(text, currency):
    try:
        minor = parse_amount(text, currency)
    except AmountUnclear as error:
        assert str(error)
    else:
        assert text.isascii()
        assert set(text) <= set("0123456789.")
        assert minor >= 0
