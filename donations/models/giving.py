"""In which currencies an organisation takes gifts, and how much."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.money import CURRENCIES, STRIPE_STEP, exponent_of, from_stripe
from donations.errors import AmountOutOfRange, LastDecimalNotZero
from organisations.models import Organisation

PRESETS_MIN, PRESETS_MAX = 3, 6
OFFERED = ("EUR", "USD", "GBP", "JPY")
PRESETS = {0: (1_000, 3_000, 5_000, 10_000, 30_000)}
PRESETS_ELSE = (10, 25, 50, 100, 250)
WHOLE_LEAST, WHOLE_MOST = {0: 100, 2: 1, 3: 1}, 999_999

# The least that Stripe charges, in its own count, where an account settles in the currency; the
# most that every way to pay takes: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
STRIPE_LEAST_BY_CODES = {
    30: "GBP",
    50: "ARS AUD BRL CAD CHF COP EUR IDR ILS INR JPY KRW NZD PHP RUB SGD USD ZAR",
    200: "AED MYR PLN RON",
    250: "DKK",
    300: "NOK SEK",
    400: "HKD",
    1000: "MXN THB",
    1500: "CZK",
    17500: "HUF",
}
STRIPE_LEAST = {
    code: least for least, codes in STRIPE_LEAST_BY_CODES.items() for code in codes.split()
}
STRIPE_MOST = 99_999_999


class GivingCurrencyQuerySet(models.QuerySet["GivingCurrency"]):
    """Questions about currencies of giving."""

    def of(self, organisation: Organisation) -> Self:
        """Return what an organisation has set."""
        return self.filter(organisation=organisation).order_by("currency")


class GivingCurrency(models.Model):
    """
    A currency in which an organisation takes gifts: of `least` to `most`, `presets` on buttons.

    All count minor units, and a gift is of at least what Stripe charges. An organisation that has
    set none takes gifts by `usual_terms`.
    """

    pk = models.CompositePrimaryKey("organisation_id", "currency")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    presets = ArrayField(models.BigIntegerField())
    least = models.BigIntegerField()
    most = models.BigIntegerField()

    objects = GivingCurrencyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="giving_currency_is_iso_4217"
            ),
            models.CheckConstraint(
                condition=Q(least__gt=0, least__lte=F("most"), most__lt=2**53),
                name="giving_has_a_range",
            ),
            models.CheckConstraint(
                condition=Q(presets__len__gte=PRESETS_MIN, presets__len__lte=PRESETS_MAX),
                name="giving_has_three_to_six_presets",
            ),
        ]

    def __str__(self) -> str:
        """Name the currency."""
        return self.currency

    def check_amount(self, amount: int) -> None:
        """Raise `AmountOutOfRange` or `LastDecimalNotZero` for what cannot be given."""
        if not self.least <= amount <= self.most:
            raise AmountOutOfRange(self.least, self.most, self.currency)
        if amount % step_of(self.currency):
            raise LastDecimalNotZero


def step_of(currency: str) -> int:
    """Return of which number of minor units every gift is a multiple."""
    return STRIPE_STEP[exponent_of(currency)]


def bounds_of(currency: str) -> tuple[int, int]:
    """Return the least and the most that an organisation may ask for: what Stripe charges."""
    most = from_stripe(STRIPE_MOST // 100 * 100, currency)
    if currency in STRIPE_LEAST:
        return STRIPE_LEAST[currency], most
    return WHOLE_LEAST[exponent_of(currency)] * 10 ** exponent_of(currency), most


def usual_terms(organisation: Organisation, currency: str) -> GivingCurrency:
    """Return how gifts in a currency are taken where the organisation has set nothing."""
    unit = 10 ** exponent_of(currency)
    floor, ceiling = bounds_of(currency)
    least = max(WHOLE_LEAST[exponent_of(currency)] * unit, floor)
    presets = [whole * unit for whole in PRESETS.get(exponent_of(currency), PRESETS_ELSE)]
    while presets[0] < least:
        presets = [10 * amount for amount in presets]
    return GivingCurrency(
        organisation=organisation,
        currency=currency,
        presets=presets,
        least=least,
        most=min(WHOLE_MOST * unit, ceiling),
    )


def terms_of(organisation: Organisation) -> dict[str, GivingCurrency]:
    """Return how gifts are taken, by currency: the organisation's own one first."""
    found = {terms.currency: terms for terms in GivingCurrency.objects.of(organisation)}
    if not found:
        codes = dict.fromkeys((organisation.currency, *OFFERED))
        found = {code: usual_terms(organisation, code) for code in codes}
    own = organisation.currency
    return {code: found[code] for code in sorted(found, key=lambda code: code != own)}


def terms_in(organisation: Organisation, currency: str) -> GivingCurrency | None:
    """Return how gifts in one currency are taken; None where they are not."""
    own = GivingCurrency.objects.of(organisation)
    terms = own.filter(currency=currency).first()
    if terms or currency not in CURRENCIES or own.exists():
        return terms
    return usual_terms(organisation, currency)
