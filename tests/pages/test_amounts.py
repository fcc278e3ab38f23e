"""What a visitor types as an amount: taken when it can mean one thing only."""
# ruff: noqa: RUF001 - digits of other scripts are what is typed

from decimal import Decimal

import pytest
from babel import Locale, localedata
from babel.numbers import NumberFormatError, parse_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from common.money import exponent_of
from donations.forms.amounts import (
    CONFUSED,
    DECIMALS_MAX,
    AmountUnclear,
    parse_amount,
    write_amount,
    write_shortly,
)
from donations.forms.numbers import LOCALES, SPACES, TO_ASCII, locale_for, signs_of

CURRENCIES = ["EUR", "USD", "JPY", "ISK", "KWD", "TND"]
NARROW, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
MARK = "\N{LEFT-TO-RIGHT MARK}"
FROM_THE_RIGHT = "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("40", "EUR", "en", 4000),
        ("40.23", "EUR", "en", 4023),
        ("40,23", "EUR", "de", 4023),
        ("40,23", "EUR", "fr", 4023),
        ("0.50", "EUR", "en", 50),
        ("1000", "EUR", "en", 100_000),
        ("1,000.00", "EUR", "en", 100_000),
        ("1,000", "EUR", "en", 100_000),
        ("1.000", "EUR", "de", 100_000),
        ("1.000.000", "EUR", "de", 100_000_000),
        ("1.000", "JPY", "de", 1000),
        ("1000", "JPY", "en", 1000),
        (f"1{NARROW}000,50", "EUR", "fr", 100_050),
        (f"1{WIDE}000,50", "EUR", "fr", 100_050),
        ("1 000,50", "EUR", "fr", 100_050),
        ("1’000.50", "EUR", "de-ch", 100_050),
        ("1'000.50", "EUR", "de-ch", 100_050),
        ("1,00,000.50", "INR", "en-in", 10_000_050),
        ("١٢٣", "EUR", "ar", 12_300),
        ("١٬٢٣٤٫٥٠", "EUR", "ar-eg", 123_450),
        ("1,234.50", "EUR", "ar-eg", 123_450),
        ("۱٬۲۳۴٫۵۰", "EUR", "fa", 123_450),
        ("१,२३,४५६.५०", "INR", "hi", 12_345_650),
        ("7", "KWD", "en", 7000),
        ("7.50", "KWD", "en", 7500),
        ("0.500", "KWD", "en", 500),
        ("1,000.250", "KWD", "en", 1_000_250),
        ("١٫٢٥٠", "KWD", "ar-eg", 1250),
        (f"{MARK}40{MARK}", "EUR", "en", 4000),
        (f" {WIDE}40 ", "EUR", "en", 4000),
    ],
)
def test_a_clear_amount_is_taken(text, currency, locale, minor):
    assert parse_amount(text, currency, locale) == minor


@pytest.mark.parametrize(
    ("text", "currency", "locale", "readings"),
    [
        ("7,5", "EUR", "en", ["7.50", "75"]),
        ("7,5", "EUR", "de", ["7,50", "75"]),
        ("40,23", "EUR", "en", ["40.23", "4,023"]),
        ("40.23", "EUR", "de", ["40,23", "4.023"]),
        ("1.000", "EUR", "en", ["1", "1,000"]),
        ("1.000", "JPY", "en", ["1", "1,000"]),
        ("1,000", "EUR", "de-ch", ["1", "1’000"]),
        ("1,000.00", "EUR", "de", ["1", "1.000"]),
        # Only the third decimal keeps these apart, and they are written by halves of the world.
        ("1.000", "KWD", "en", ["1", "1,000.00"]),
        ("1.000", "KWD", "de", ["1", "1.000,00"]),
        ("1,250", "KWD", "en", ["1.25", "1,250.00"]),
        (".50", "EUR", "en", ["0.50", "50"]),
        ("١٫٢٥", "EUR", "en", ["1.25", "125"]),
        ("40,23", "EUR", "ar-eg", ["٤٠٫٢٣", "٤٬٠٢٣"]),
        ("१.०००", "KWD", "hi", ["1", "1,000.00"]),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_and_shown_in_both(
    text, currency, locale, readings
):
    with pytest.raises(AmountUnclear, match="This can be read as") as refusal:
        parse_amount(text, currency, locale)

    for reading in readings:
        assert reading in str(refusal.value)
        assert parse_amount(reading, currency, locale) >= 0


def test_a_reading_that_is_shown_can_be_typed_as_it_is_shown():
    with pytest.raises(AmountUnclear) as refusal:
        parse_amount("40,23", "EUR", "ar-eg")
    shown = str(refusal.value).split("read as ")[1].split(" or as ")[0]

    assert parse_amount(shown, "EUR", "ar-eg") == 4023


@pytest.mark.parametrize(
    ("text", "currency", "locale", "words"),
    [
        ("", "EUR", "en", "Enter an amount, such as 40 or 1,000.50."),
        ("", "JPY", "en", "Enter an amount, such as 4,000."),
        ("", "EUR", "de", "Enter an amount, such as 40 or 1.000,50."),
        ("1 000", "EUR", "en", "write 1,000, if"),
        ("100,000", "INR", "en-in", "read as 100 or as 1,00,000"),
        ("٤٠", "EUR", "en", "write 40, if"),
        ("\uff14\uff10", "EUR", "en", "digits alone"),
        ("1٠", "EUR", "ar", "write 10, if"),
        ("007", "EUR", "en", "write 7, if"),
        ("40.", "EUR", "en", "write 40, if"),
        ("40.2", "EUR", "fi", "40,20"),
        ("40.50", "JPY", "en", "write 4,050, if"),
        ("40.235", "EUR", "en", "write 40,235, if"),
        (f"1{NARROW}000{WIDE}000", "EUR", "fr", f"1{NARROW}000{NARROW}000"),
        ("+40", "EUR", "en", "digits alone"),
        ("-40", "EUR", "en", "digits alone"),
        ("−40", "EUR", "en", "digits alone"),
        ("1e3", "EUR", "en", "digits alone"),
        ("0x10", "EUR", "en", "digits alone"),
        ("40 €", "EUR", "en", "digits alone"),
        ("nan", "EUR", "en", "digits alone"),
        ("4\n0", "EUR", "en", "digits alone"),
        ("½", "EUR", "en", "digits alone"),
        ("²", "EUR", "en", "digits alone"),
        ("1.2.3,4,5", "EUR", "en", "digits alone"),
        (".", "EUR", "en", "digits alone"),
        ("9" * 14, "EUR", "en", "digits alone"),
        ("9" * 60, "EUR", "en", "digits alone"),
        (f"{FROM_THE_RIGHT}12", "EUR", "en", "Invisible signs"),
        (f"1{MARK}2", "EUR", "en", "Invisible signs"),
    ],
)
def test_an_unclear_amount_is_refused_with_a_way_to_write_it(text, currency, locale, words):
    with pytest.raises(AmountUnclear) as refusal:
        parse_amount(text, currency, locale)

    assert words in str(refusal.value)


amounts = st.integers(0, 10**11) | st.integers(0, 10**5).map(lambda whole: whole * 1000)
locales = st.sampled_from(LOCALES)
currencies = st.sampled_from(CURRENCIES)


@given(amounts, locales, currencies)
def test_what_a_page_writes_is_read_as_itself(amount, locale, currency):
    amount -= amount % 10 ** max(0, exponent_of(currency) - DECIMALS_MAX)

    for write in (write_amount, write_shortly):
        assert parse_amount(write(amount, currency, locale), currency, locale) == amount


@given(st.integers(0, 10**11), st.sampled_from(["ar-eg", "fa"]), st.sampled_from(["KWD", "TND"]))
def test_signs_that_nobody_confuses_take_three_decimals(amount, locale, currency):
    whole, part = divmod(amount, 1000)
    text = signs_of(locale)[0].write(whole, f"{part:03d}")

    assert parse_amount(text, currency, locale) == amount


typed = st.text(st.sampled_from("0012579.,'’ \u00a0\u202f٠١٥٫٬०१५-+eE\u200e\u202e"), max_size=10)


@given(typed | st.text(max_size=12), locales, currencies)
@example("1.000", "en", "KWD")
@example("1,000", "fr", "KWD")
@example("1.000", "fr-lu", "EUR")
def test_nothing_is_read_as_another_number_than_by_babel(text, locale, currency):
    try:
        minor = parse_amount(text, currency, locale)
    except AmountUnclear as error:
        assert str(error)
        return

    value = Decimal(minor).scaleb(-exponent_of(currency))
    assert value in babels(text.strip(f"{SPACES}\u200e\u2068\u2069"), locale)


def babels(text, locale):
    """Return what Babel's strict parser reads in a text, in each of a locale's ways to write."""
    ascii_text, found = text.translate(TO_ASCII), []
    known = Locale.parse(locale, sep="-")
    for system in {"latn", known.default_numbering_system, "arab", "arabext"}:
        symbols = known.number_symbols.get(system, {})
        if symbols.get("group"):
            with_its_sign = ascii_text
            for alike in (SPACES, "'’"):
                if symbols["group"] in alike:
                    with_its_sign = "".join(
                        symbols["group"] if sign in alike else sign for sign in ascii_text
                    )
            try:
                found.append(
                    parse_decimal(with_its_sign, known, strict=True, numbering_system=system)
                )
            except NumberFormatError:
                continue
    return found


@given(typed, locales, currencies)
@example("1.000", "en", "KWD")
@example("1,000", "fr", "KWD")
def test_what_is_taken_is_no_other_amount_with_point_and_comma_exchanged(text, locale, currency):
    try:
        minor = parse_amount(text, currency, locale)
    except AmountUnclear:
        return

    for signs in CONFUSED:
        read = signs.read(text.strip(f"{SPACES}\u200e\u2068\u2069").translate(TO_ASCII))
        if read and len(read[1]) in (0, exponent_of(currency)):
            whole, part = read
            assert int(whole) * 10 ** exponent_of(currency) + int(part or 0) == minor


@given(st.text(max_size=12), locales, currencies)
def test_any_text_is_an_amount_or_refused_in_a_sentence(text, locale, currency):
    try:
        assert parse_amount(text, currency, locale) >= 0
    except AmountUnclear as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("asked", "locale"),
    [
        ("", "en"),
        ("*", "en"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("de-CH,de;q=0.9", "de-ch"),
        ("es-AR", "es"),
        ("es-MX", "es-mx"),
        ("en-GB", "en"),
        ("en-ZA", "en-za"),
        ("zh-Hans-CN", "zh"),
        ("tlh,fr;q=0.5", "fr"),
        ("no", "no"),
        ("en;q=0.1,ar-EG", "ar-eg"),
        ("x" * 600, "en"),
        ("de_AT;;q=x", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_a_browser_says_how_its_visitor_writes_numbers(asked, locale):
    assert locale_for(asked) == locale


def test_every_region_of_our_languages_is_read_as_its_people_write():
    languages = {name for name in LOCALES if "-" not in name}
    regions = [
        name.replace("_", "-").lower()
        for name in localedata.locale_identifiers()
        if name.count("_") == 1 and len(name.partition("_")[2]) < 4
    ]

    wrong = [
        region
        for region in regions
        if region.partition("-")[0] in languages
        and signs_of(locale_for(region)) != signs_of(region)
    ]

    assert wrong == []
