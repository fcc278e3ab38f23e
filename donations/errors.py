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
