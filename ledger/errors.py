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


class NotYetThere(DomainError):
    """The book does not reach that far, or had not begun by then."""

    code = "not_yet_there"
    status = 400


class NotCorrectable(DomainError):
    """An entry that moves nothing cannot be corrected."""

    code = "not_correctable"


class AlreadyCorrected(DomainError):
    """The entry was corrected before."""

    code = "already_corrected"


class CorrectionOverdraws(DomainError):
    """The owner has spent what this would take back; nothing was written."""

    code = "correction_overdraws"


class ReasonRefused(DomainError):
    """A correction needs a reason of 1 to 500 characters that can be printed."""

    code = "reason_refused"
    status = 400


class KeyLocked(DomainError):
    """The signing key was encrypted with another secret: set the LEDGER_KEY_SECRET of then."""

    code = "key_locked"
    status = 500


class NoKeyYet(DomainError):
    """The organisation has no signing key yet: approve it first."""

    code = "no_key_yet"


class NothingToErase(DomainError):
    """The entry commits to no personal detail: there is nothing to erase."""

    code = "nothing_to_erase"


class SealingHalted(DomainError):
    """The log is not sealed any further: that could show two people two ledgers."""

    code = "sealing_halted"


class NotYetSealed(DomainError):
    """No checkpoint has this entry yet; one follows within seconds."""

    code = "not_yet_sealed"


class TimestampRefused(DomainError):
    """The time stamper gave no time stamp that can be used."""

    code = "timestamp_refused"
    status = 502


class RestoreRefused(DomainError):
    """The file does not go on where the book ends; nothing was written."""

    code = "restore_refused"
    status = 400
