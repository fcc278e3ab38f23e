"""Amounts as visitors type them: read as one number only, or refused."""

import re

from common.money import exponent_of

DIGITS = re.compile(r"(?:0|[1-9][0-9]{0,12})(?:\.([0-9]+))?\Z")
DECIMALS_MAX = 2


class AmountUnclear(ValueError):
    """An amount that could mean two things, or none; the message says how to write it."""


def parse_amount(text: str, currency: str) -> int:
    """
    Return the minor units that a typed amount means, if it can mean one thing only.

    ASCII digits, then either nothing or a point and exactly the currency's decimals (two at
    most). Raises `AmountUnclear` for everything else: `7,5`, `1.000`, `1 000`, `٤٠`.
    """
    match = DIGITS.match(text)
    decimals = min(exponent_of(currency), DECIMALS_MAX)
    if not match or (match[1] is not None and len(match[1]) != decimals):
        raise AmountUnclear(_how_to_write(text, decimals))
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(exponent_of(currency), "0"))


def _how_to_write(text: str, decimals: int) -> str:
    such = example(decimals)
    rule = f"{decimals} decimals after a point, or none" if decimals else "no decimals"
    if not text:
        return f"Enter an amount, such as {such}."
    if "," in text:
        return f"Write the amount without a comma, such as {such}: with one it is unclear."
    if "." in text:
        return f"Write the amount with {rule}, such as {such}."
    return f"Write the amount in the digits 0 to 9 alone, such as {such}."


def example(decimals: int) -> str:
    """Return how amounts of a currency are typed, by its decimals."""
    return "40 or 40.25" if decimals else "4000"
