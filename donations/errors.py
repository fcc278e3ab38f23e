"""What `donations` refuses."""

from common.errors import DomainError
from common.money import format_money


class UnknownFund(DomainError):
    """No such fund: choose one of this organisation."""

    code = "unknown_fund"
    status = 400


class AmountOutOfRange(DomainError):
    """The amount cannot be given."""

    code = "amount_out_of_range"
    status = 400

    def __init__(self, least: int, most: int, currency: str) -> None:
        """Say what can be given."""
        self.least, self.most = least, most
        bounds = format_money(least, currency), format_money(most, currency)
        super().__init__(f"Give between {' and '.join(bounds)}.")


class LastDecimalNotZero(DomainError):
    """Stripe takes no third decimal but 0 in this currency: round the amount to two decimals."""

    code = "last_decimal_not_zero"
    status = 400


class UnknownCurrency(DomainError):
    """Gifts cannot be made in such a currency: use an ISO 4217 code in capitals."""

    code = "unknown_currency"
    status = 400


class CurrencyNotOffered(DomainError):
    """The organisation takes no gifts in this currency: use one that its donate page offers."""

    code = "currency_not_offered"
    status = 400


class TermsUnusable(DomainError):
    """Gifts cannot be taken by these terms; `field` is what to change."""

    code = "terms_unusable"
    status = 400

    def __init__(self, field: str, detail: str) -> None:
        """Say what is wrong with a field, and what would be right."""
        self.field = field
        super().__init__(detail)


class GiftBlocked(DomainError):
    """
    No gift can be taken from here at the moment, because of too many tries; nothing was charged.

    Try again in an hour, or ask the organisation.
    """

    code = "gift_blocked"
    status = 429


class GiftChallenged(DomainError):
    """Many gifts come in at once: whoever gives is asked for a moment of their computer’s work."""

    code = "gift_challenged"
    status = 429


class LastCurrency(DomainError):
    """No other currency is offered: add another one first."""

    code = "last_currency"


class TakesNoGifts(DomainError):
    """The organisation cannot take gifts at the moment."""

    code = "takes_no_gifts"


class IdempotencyConflict(DomainError):
    """The Idempotency-Key was used before for another gift; nothing was changed."""

    code = "idempotency_conflict"


class GiftDiffers(DomainError):
    """The charge names a gift, but is not of its amount and currency, or not its first charge."""

    code = "gift_differs"


class RepeatsByCheckoutOnly(DomainError):
    """A gift that repeats begins on Stripe's page: send flow "checkout"."""

    code = "repeats_by_checkout_only"
    status = 400


class RecurringGiftOver(DomainError):
    """The gift has ended, and nothing is taken any more; you can begin a new one."""

    code = "recurring_gift_over"


class NothingToMend(DomainError):
    """No payment of this gift waits for you."""

    code = "nothing_to_mend"


class TooManyLinks(DomainError):
    """Too many links were asked for from here: try again in an hour."""

    code = "too_many_links"
    status = 429


class NotRefundable(DomainError):
    """Nothing of this gift can be given back now."""

    code = "not_refundable"


class RefundTooLarge(DomainError):
    """The refund is larger than what is left of the gift."""

    code = "refund_too_large"
    status = 400


class RefundDiffers(IdempotencyConflict):
    """The Idempotency-Key was used before for another refund; nothing was changed."""


class RefundRefused(DomainError):
    """Stripe refused the refund; nothing was given back."""

    code = "refund_refused"
