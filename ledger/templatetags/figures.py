"""Numbers, amounts, hashes and times as people read them."""

import json
import shlex
from datetime import UTC, date, datetime

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.money import MINUS, format_amount

register = Library()

SIGNS = {"in": "+", "out": MINUS, "moved": ""}
HASH_SHOWN = 4


@register.filter
def number(value: int) -> str:
    """Return a count with its thousands apart: `12,408`."""
    return f"{value:,}"


@register.filter
def amount(value: int, currency: str) -> str:
    """Return an amount without its currency, which stands elsewhere: `1,234.56`."""
    return format_amount(value, currency)


@register.filter
def money(value: int, currency: str) -> SafeString:
    """Return an amount beside its currency."""
    return format_html(
        '<span class="amount">{} <abbr>{}</abbr></span>', format_amount(value, currency), currency
    )


@register.simple_tag
def moved(value: int, currency: str, direction: str) -> SafeString:
    """Return an amount that came `in`, went `out` or was `moved`: `+50.00 EUR`."""
    return format_html(
        '<span class="amount amount--{}">{}{} <abbr>{}</abbr></span>',
        direction,
        SIGNS[direction],
        format_amount(value, currency),
        currency,
    )


@register.simple_tag
def changed(value: int, currency: str) -> SafeString:
    """Return by how much an account changed: `+50.00 EUR`, `−1.70 EUR`."""
    return moved(abs(value), currency, "out" if value < 0 else "in")


@register.filter
def short_hash(value: str) -> str:
    """Return the first eight digits of a hash, in two groups that stay together."""
    digits = value.removeprefix("sha256:")
    return f"{digits[:HASH_SHOWN]}\N{NO-BREAK SPACE}{digits[HASH_SHOWN : 2 * HASH_SHOWN]}"


@register.filter
def shell_quoted(value: object) -> str:
    """Return text as one word of a POSIX shell."""
    return shlex.quote(str(value))


@register.filter
def compact(value: object) -> str:
    """Return a value of an entry's metadata as its line has it, text without quotes."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


@register.filter
def moment(value: datetime) -> SafeString:
    """Return a time for running text: `21 November 2026, 14:02 UTC`."""
    return _time(value, f"{{0.day}} {value:%B %Y, %H:%M} UTC")


@register.filter
def clock(value: datetime) -> SafeString:
    """Return a time for a column whose head says UTC: `21 Nov 2026 14:02`."""
    return _time(value, f"{{0.day}} {value:%b %Y %H:%M}")


@register.filter
def day(value: datetime) -> SafeString:
    """Return the day of a time: `21 November 2026`."""
    return _time(value, f"{{0.day}} {value:%B %Y}")


@register.filter
def calendar_day(value: date) -> SafeString:
    """Return a day of no particular hour: `21 November 2026`."""
    return format_html('<time datetime="{}">{}</time>', value, f"{value.day} {value:%B %Y}")


def _time(value: datetime, words: str) -> SafeString:
    exact = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}">{}</time>', exact, words.format(value))
