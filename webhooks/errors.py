"""What the inbox refuses."""

from common.errors import DomainError


class InvalidSignature(DomainError):
    """The message does not carry a valid signature of Stripe."""

    code = "invalid_signature"
    status = 400


class InvalidEvent(DomainError):
    """The message is signed, but it is no event of Stripe."""

    code = "invalid_event"
    status = 400


class AddressRefused(DomainError):
    """Messages are not taken from this address."""

    code = "address_refused"
    status = 403


class NotAgain(DomainError):
    """The event is waiting for its turn already."""

    code = "event_is_pending"
