"""
Money: an integer of minor units beside its ISO 4217 currency.

Exponents are those of ISO 4217; where Stripe counts a currency otherwise, see
https://docs.stripe.com/currencies#zero-decimal and #three-decimal.
"""

AMOUNT_MAX = 2**53 - 1

DECIMALS_BY_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: (
        "AED ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD "
        "CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD "
        "HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT "
        "MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU "
        "UZS WST XCD YER ZAR ZMW"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
CURRENCIES = {
    code: decimals for decimals, codes in DECIMALS_BY_CODES.items() for code in codes.split()
}
MINUS = "\N{MINUS SIGN}"

# ISO 4217 knows no decimals of these any more; Stripe counts hundredths that are always 00:
# https://docs.stripe.com/currencies#special-cases. (HUF and TWD are special for payouts alone.)
COUNTED_BY_STRIPE_IN_HUNDREDTHS = {"ISK", "UGX"}
# Of three decimals Stripe takes 0 alone as the last one.
STRIPE_STEP = {0: 1, 2: 1, 3: 10}


def exponent_of(currency: str) -> int:
    """Return how many decimals a currency has; application units such as CREDIT have none."""
    return CURRENCIES.get(currency, 0)


def to_stripe(amount: int, currency: str) -> int:
    """Return an amount as Stripe counts it."""
    return amount * _in_stripes_count(currency)


def from_stripe(amount: int, currency: str) -> int:
    """Return what Stripe counts in minor units. Raises `ValueError` for a part of one."""
    whole, rest = divmod(amount, _in_stripes_count(currency))
    if rest:
        raise ValueError(f"{currency} has no decimals")
    return whole


def _in_stripes_count(currency: str) -> int:
    return 100 if currency in COUNTED_BY_STRIPE_IN_HUNDREDTHS else 1


def format_amount(amount: int, currency: str) -> str:
    """Return an amount as people read it: 123456 EUR is `1,234.56`, with a true minus."""
    exponent = exponent_of(currency)
    whole, part = divmod(abs(amount), 10**exponent)
    decimals = f".{part:0{exponent}d}" if exponent else ""
    return f"{MINUS if amount < 0 else ''}{whole:,}{decimals}"


def format_money(amount: int, currency: str) -> str:
    """Return an amount and its currency: `50.00 EUR`."""
    return f"{format_amount(amount, currency)} {currency}"
