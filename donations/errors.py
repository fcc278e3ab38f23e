"""What `donations` refuses."""

from common.errors import DomainError


class UnknownFund(DomainError):
    """No such fund: choose one of this organisation."""

    code = "unknown_fund"
    status = 400


class AmountOutOfRange(DomainError):
    """The amount cannot be given."""

    code = "amount_out_of_range"
    status = 400


class UnknownCurrency(DomainError):
    """Gifts cannot be made in such a currency: use an ISO 4217 code in capitals."""

    code = "unknown_currency"
    status = 400


class TakesNoGifts(DomainError):
    """The organisation cannot take gifts at the moment."""

    code = "takes_no_gifts"


class IdempotencyConflict(DomainError):
    """The Idempotency-Key was used before for another gift; nothing was changed."""

    code = "idempotency_conflict"


class GiftDiffers(DomainError):
    """The charge names a gift, but is not of its amount and currency, or not its first charge."""

    code = "gift_differs"


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
