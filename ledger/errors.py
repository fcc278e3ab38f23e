"""What the ledger refuses."""

from common.errors import DomainError


class NonceConflict(DomainError):
    """The nonce was used before for something else; nothing was written."""

    code = "nonce_conflict"


class DraftRefused(DomainError):
    """The draft cannot become an entry."""

    code = "draft_refused"
    status = 400


class UnknownOperation(DomainError):
    """No such operation is configured for this book."""

    code = "unknown_operation"
    status = 400
