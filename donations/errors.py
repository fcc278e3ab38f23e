"""What `donations` refuses."""

from common.errors import DomainError


class UnknownFund(DomainError):
    """This organisation has no such fund."""

    code = "unknown_fund"
    status = 400


class AmountOutOfRange(DomainError):
    """This amount cannot be given."""

    code = "amount_out_of_range"
    status = 400


class UnknownCurrency(DomainError):
    """This is not a currency that gifts can be made in."""

    code = "unknown_currency"
    status = 400


class TakesNoGifts(DomainError):
    """This organisation cannot take gifts at the moment."""

    code = "takes_no_gifts"


class IdempotencyConflict(DomainError):
    """This Idempotency-Key was used before for another gift; nothing was changed."""

    code = "idempotency_conflict"


class GiftDiffers(DomainError):
    """This charge names a gift, but is not of its amount and currency, or not its first charge."""

    code = "gift_differs"
