"""What the inbox refuses."""

from common.errors import DomainError


class InvalidSignature(DomainError):
    """This message does not carry a valid signature of Stripe."""

    code = "invalid_signature"
    status = 400


class InvalidEvent(DomainError):
    """This message is signed, but it is no event of Stripe."""

    code = "invalid_event"
    status = 400


class BodyTooLarge(DomainError):
    """This message is over 1 MiB."""

    code = "body_too_large"
    status = 413


class AddressRefused(DomainError):
    """Messages are not taken from this address."""

    code = "address_refused"
    status = 403


class NotAgain(DomainError):
    """This event is waiting for its turn already."""

    code = "event_is_pending"
