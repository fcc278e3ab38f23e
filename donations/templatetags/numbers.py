"""Numbers as the visitor's locale writes them; `bdi` keeps them in their place among the words."""

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString

from donations.forms.amounts import write_amount, write_shortly
from donations.forms.numbers import signs_of

register = Library()


@register.simple_tag
def local_money(value: int, currency: str, locale: str) -> SafeString:
    """Return an amount beside its currency: `1.234,56 EUR`."""
    written = write_amount(value, currency, locale)
    return format_html(
        '<span class="amount"><bdi>{}</bdi> <abbr>{}</abbr></span>', written, currency
    )


@register.simple_tag
def local_short(value: int, currency: str, locale: str) -> SafeString:
    """Return an amount whose currency stands elsewhere, without decimals that are zeros."""
    return format_html("<bdi>{}</bdi>", write_shortly(value, currency, locale))


@register.simple_tag
def local_number(value: int, locale: str) -> SafeString:
    """Return a count with its groups apart."""
    return format_html("<bdi>{}</bdi>", signs_of(locale)[0].write(value))


@register.simple_tag
def local_percent(permille: int, locale: str) -> SafeString:
    """Return thousandths in per cent, with one decimal: `2,3 %`."""
    whole, tenths = divmod(permille, 10)
    written = signs_of(locale)[0].write(whole, str(tenths))
    return format_html("<bdi>{}</bdi> %", written)
