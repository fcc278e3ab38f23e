"""Amounts as visitors type them: read as one number only, or refused (docs/decisions/0017)."""

from common.money import exponent_of
from donations.forms.numbers import APOSTROPHES, DIGITS, SPACES, TO_ASCII, Signs, signs_of

WHOLE_DIGITS_MAX = 13
TEXT_LENGTH_MAX = 40
# Stripe takes no third decimal but 0 (common/money.py), so that two say all.
DECIMALS_MAX, DECIMALS_CONFUSED = 2, 3
# What half of the world takes for the decimal sign is the other half's sign between groups.
CONFUSED = (
    Signs(DIGITS["latn"], ".", ",", 3, 3),
    Signs(DIGITS["latn"], ",", ".", 3, 3),
)
ISOLATE, END_OF_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
# Invisible, and come along when text is copied: around an amount these change nothing; the others
# may show its digits in another order than they are read.
HARMLESS = f"\N{LEFT-TO-RIGHT MARK}{ISOLATE}{END_OF_ISOLATE}"
MARKS = f"{HARMLESS}\u061c\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067"
ARABIC = str.maketrans({"\N{ARABIC DECIMAL SEPARATOR}": ".", "\N{ARABIC THOUSANDS SEPARATOR}": "'"})


class AmountUnclear(ValueError):
    """An amount that could mean two things, or none; the message says how to write it."""


def parse_amount(text: str, currency: str, locale: str) -> int:
    """
    Return the minor units that a typed amount means, if it can mean one thing only.

    Digits of the locale or ASCII, its groups as it has them or none, its decimal sign with all
    of the currency's decimals or neither. Raises `AmountUnclear` for everything else, and for
    what is another amount where point and comma have changed places.
    """
    typed = text.strip(HARMLESS + SPACES)
    if len(typed) <= TEXT_LENGTH_MAX:
        own = _readings(signs_of(locale), typed, currency)
        if own and own == own | _readings(CONFUSED, typed.translate(TO_ASCII), currency):
            return own.pop()
    raise AmountUnclear(_how_to_write(typed, currency, locale))


def write_amount(amount: int, currency: str, locale: str) -> str:
    """Return an amount as a page of the locale shows it, and takes it back when it is typed."""
    whole, part = _parts(amount, currency)
    return signs_of(locale)[0].write(whole, part)


def write_shortly(amount: int, currency: str, locale: str) -> str:
    """Return an amount without decimals where they are zeros, and it is clear without them."""
    whole, part = _parts(amount, currency)
    # A group of three digits looks like three decimals to some.
    is_clear = exponent_of(currency) <= DECIMALS_MAX or whole < 10**DECIMALS_CONFUSED
    return signs_of(locale)[0].write(whole, "" if is_clear and not part.strip("0") else part)


def examples(currency: str, locale: str) -> str:
    """Return how amounts of a currency are typed."""
    unit = 10 ** exponent_of(currency)
    if unit == 1:
        return isolated(write_amount(4000, currency, locale))
    plain, grouped = (
        write(amount, currency, locale)
        for write, amount in ((write_shortly, 40 * unit), (write_amount, 1000 * unit + unit // 2))
    )
    return f"{isolated(plain)} or {isolated(grouped)}"


def isolated(text: str) -> str:
    """Return a number for a sentence: digits from the right keep their place among its words."""
    return text if text.isascii() else f"{ISOLATE}{text}{END_OF_ISOLATE}"


def _parts(amount: int, currency: str) -> tuple[int, str]:
    exponent = exponent_of(currency)
    whole, part = divmod(amount, 10**exponent)
    decimals = f"{part:0{exponent}d}" if exponent else ""
    is_short = decimals[DECIMALS_MAX:].strip("0") == ""
    return whole, decimals[:DECIMALS_MAX] if is_short else decimals


def _readings(writings: tuple[Signs, ...], text: str, currency: str) -> set[int]:
    read = (signs.read(text) for signs in writings)
    found = (_minor(*parts, currency) for parts in read if parts)
    return {minor for minor in found if minor is not None}


def _minor(whole: int, part: str, currency: str) -> int | None:
    exponent = exponent_of(currency)
    is_whole = len(part) in {0, exponent, min(exponent, DECIMALS_MAX)}
    if not is_whole or whole >= 10**WHOLE_DIGITS_MAX:
        return None
    return int(f"{whole}{part.ljust(exponent, '0')}")


def _how_to_write(typed: str, currency: str, locale: str) -> str:
    such = examples(currency, locale)
    if not typed:
        return f"Enter an amount, such as {such}."
    if any(mark in typed for mark in MARKS):
        return f"Invisible signs stand within the amount: type it anew, such as {such}."
    meant = [isolated(write_shortly(minor, currency, locale)) for minor in _meant(typed, currency)]
    if len(meant) > 1:
        return f"This can be read as {' or as '.join(meant)}. Write it in one of these ways."
    if meant:
        return f"Numbers are written in another way here: write {meant[0]}, if that is meant."
    return f"Write the amount in digits alone, such as {such}."


def _meant(typed: str, currency: str) -> list[int]:
    # What somebody may have meant, however they write: each sign as the decimal one, or neither.
    text = typed.translate(TO_ASCII).translate(ARABIC)
    plain = text.translate({ord(sign): None for sign in SPACES + APOSTROPHES})
    if not plain.replace(".", "").replace(",", "").isascii() or len(plain) > WHOLE_DIGITS_MAX:
        return []
    return sorted({minor for decimal in ".," if (minor := _leniently(plain, decimal, currency))})


def _leniently(text: str, decimal: str, currency: str) -> int:
    exponent = exponent_of(currency)
    other = "," if decimal == "." else "."
    whole, _, part = text.replace(other, "").partition(decimal)
    part = part[:exponent] + part[exponent:].rstrip("0")
    is_number = (whole + part).isdigit() and len(part) <= exponent
    return int(f"{whole or '0'}{part.ljust(exponent, '0')}") if is_number else 0
