"""How an organisation takes gifts: in which currencies, and how much."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from django.db import transaction

from common.money import CURRENCIES, format_money
from donations.errors import (
    CurrencyNotOffered,
    LastCurrency,
    LastDecimalNotZero,
    TermsUnusable,
    UnknownCurrency,
)
from donations.models import GivingCurrency
from donations.models.giving import (
    PRESETS_MAX,
    PRESETS_MIN,
    bounds_of,
    step_of,
    terms_in,
    terms_of,
)
from organisations.models import Organisation


def check_amount(*, organisation: Organisation, amount: int, currency: str) -> None:
    """
    Raise what forbids a gift of an amount, as this organisation takes gifts.

    Raises `UnknownCurrency`, `CurrencyNotOffered`, `AmountOutOfRange`, `LastDecimalNotZero`.
    """
    terms = terms_in(organisation, currency)
    if terms is None:
        raise CurrencyNotOffered if currency in CURRENCIES else UnknownCurrency
    terms.check_amount(amount)


@transaction.atomic
def set_terms(
    *, organisation: Organisation, currency: str, presets: Sequence[int], least: int, most: int
) -> GivingCurrency:
    """
    Offer a currency, or change how much can be given in it; all amounts count minor units.

    The first change writes down what was usual until then. Raises `UnknownCurrency`,
    `TermsUnusable`.
    """
    if currency not in CURRENCIES:
        raise UnknownCurrency
    terms = GivingCurrency(
        organisation=organisation, currency=currency, presets=presets, least=least, most=most
    )
    _check(terms)
    found = _locked_terms(organisation)
    _replace(organisation, [*(found | {currency: terms}).values()])
    return terms


@transaction.atomic
def remove_currency(*, organisation: Organisation, currency: str) -> None:
    """Offer a currency no more. Raises `CurrencyNotOffered`, `LastCurrency`."""
    found = _locked_terms(organisation)
    if currency not in found:
        raise CurrencyNotOffered
    del found[currency]
    if not found:
        raise LastCurrency
    _replace(organisation, [*found.values()])


def _locked_terms(organisation: Organisation) -> dict[str, GivingCurrency]:
    # The organisation's row stands for all of its terms; gifts may go on meanwhile.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    return terms_of(organisation)


def _replace(organisation: Organisation, terms: list[GivingCurrency]) -> None:
    GivingCurrency.objects.of(organisation).delete()
    GivingCurrency.objects.bulk_create(terms)


def _check(terms: GivingCurrency) -> None:
    for field, words in _problems(terms):
        raise TermsUnusable(field, words)


def _problems(terms: GivingCurrency) -> Iterator[tuple[str, str]]:
    floor, ceiling = bounds_of(terms.currency)
    if terms.least < floor:
        yield "least", f"Stripe charges no less than {format_money(floor, terms.currency)}."
    if terms.most > ceiling:
        most = format_money(ceiling, terms.currency)
        yield "most", f"Not every way to pay takes more than {most}."
    if terms.most < terms.least:
        yield "most", "The most must not be below the least."
    if not _is_row_of_buttons(terms.presets):
        yield "presets", f"Enter {PRESETS_MIN} to {PRESETS_MAX} amounts, the smallest first."
    if not all(terms.least <= amount <= terms.most for amount in terms.presets):
        yield "presets", "Enter amounts between the least and the most alone."
    of_fields = {"presets": terms.presets, "least": [terms.least], "most": [terms.most]}
    for field, amounts in of_fields.items():
        if any(amount % step_of(terms.currency) for amount in amounts):
            yield field, str(LastDecimalNotZero())


def _is_row_of_buttons(presets: Sequence[int]) -> bool:
    is_rising = all(low < high for low, high in pairwise(presets))
    return is_rising and PRESETS_MIN <= len(presets) <= PRESETS_MAX
