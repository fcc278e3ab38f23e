"""Currencies, a fixed table of rates, and what the sandbox charges."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.errors import invalid

# What one unit is worth in EUR. Fixed on purpose: the same gift always settles to the same amount.
_EURO_VALUES = {
    currency: Decimal(value)
    for currency, value in {
        "aud": "0.56",
        "brl": "0.16",
        "cad": "0.62",
        "chf": "1.07",
        "czk": "0.041",
        "dkk": "0.134",
        "eur": "1",
        "gbp": "1.14",
        "hkd": "0.11",
        "huf": "0.0026",
        "inr": "0.0097",
        "jpy": "0.0056",
        "krw": "0.00059",
        "kwd": "2.82",
        "mxn": "0.047",
        "nok": "0.085",
        "nzd": "0.49",
        "pln": "0.236",
        "ron": "0.197",
        "sek": "0.091",
        "sgd": "0.66",
        "tnd": "0.29",
        "usd": "0.86",
        "zar": "0.05",
    }.items()
}
_EXPONENTS = {"jpy": 0, "krw": 0, "kwd": 3, "tnd": 3}
# Hundredths of a percent, and minor units, by settlement currency.
_FEES = {"eur": (150, 25), "jpy": (360, 0)}
_FEE_OTHERWISE = (290, 30)
_AMOUNT_MIN = 50
_AMOUNT_MAX = 99_999_999

DISPUTE_FEE = 2000
# Of a bank debit: euro cents, whatever the amount.
DEBIT_FEE = 35


def checked_currency(currency: str, *, param: str = "currency") -> str:
    """Return the currency in lower case; refuse one that the table does not have."""
    lowered = currency.lower()
    if lowered not in _EURO_VALUES:
        known = ", ".join(_EURO_VALUES)
        message = f"Invalid currency: {currency}. Stripe currently supports these: {known}"
        raise invalid(message, code="currency_not_supported", param=param)
    return lowered


def checked_amount(amount: int, *, param: str = "amount") -> int:
    """Return the amount to be charged when it is within Stripe's bounds."""
    if amount < _AMOUNT_MIN:
        message = f"The amount must be greater than or equal to {_AMOUNT_MIN} of the minor units."
        raise invalid(message, code="amount_too_small", param=param)
    if amount > _AMOUNT_MAX:
        message = f"The amount must be no more than {_AMOUNT_MAX} of the minor units."
        raise invalid(message, code="amount_too_large", param=param)
    return amount


def rate(currency: str, settlement: str) -> Decimal:
    """Return how many units of the settlement currency one unit of a currency becomes."""
    value = _EURO_VALUES[currency] / _EURO_VALUES[settlement]
    return value.quantize(Decimal("0.00000001"))


def shown_rate(currency: str, settlement: str) -> float | None:
    """Return the rate as a movement shows it: none when nothing was exchanged."""
    return None if currency == settlement else float(rate(currency, settlement))


def converted(amount: int, currency: str, settlement: str) -> int:
    """Return the amount in minor units of the settlement currency, halves rounded up."""
    scale = Decimal(10) ** (_exponent(settlement) - _exponent(currency))
    return int((amount * rate(currency, settlement) * scale).to_integral_value(ROUND_HALF_UP))


def fee(amount: int, settlement: str) -> int:
    """Return the processing fee for an amount, both in the settlement currency."""
    share, fixed = _FEES.get(settlement, _FEE_OTHERWISE)
    return (amount * share + 5000) // 10000 + fixed


def written(amount: int, currency: str) -> str:
    """Return the amount for people: `50.00 EUR`, `5000 JPY`."""
    exponent = _exponent(currency)
    return f"{Decimal(amount).scaleb(-exponent):.{exponent}f} {currency.upper()}"


def _exponent(currency: str) -> int:
    return _EXPONENTS.get(currency, 2)
