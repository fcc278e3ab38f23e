"""What `treasury` refuses."""

from common.errors import DomainError


class ChargeNotBooked(DomainError):
    """The refund or dispute belongs to a charge that is not in the ledger."""

    code = "charge_not_booked"


class ApplicationFeeFound(DomainError):
    """The charge carries an application fee, which Almoner never takes."""

    code = "application_fee_found"


class WrongLivemode(DomainError):
    """The charge is of the other mode, live or test, than this site."""

    code = "wrong_livemode"


class TransactionMalformed(DomainError):
    """The balance transaction is not of the shape that Stripe documents."""

    code = "transaction_malformed"


class AlreadyImported(DomainError):
    """The account's movements are in the book already: where it begins cannot be changed."""

    code = "already_imported"


class OpeningAhead(DomainError):
    """A book cannot begin in the future: name a day that has begun."""

    code = "opening_ahead"


class PayoutMalformed(DomainError):
    """The payout is not of the shape that Stripe documents."""

    code = "payout_malformed"
