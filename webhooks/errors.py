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


class AddressUnusable(DomainError):
    """Messages cannot be sent to this address."""

    code = "invalid_url"
    status = 400


class UnknownEvent(DomainError):
    """There is no such event; docs/webhooks.md lists all of them."""

    code = "unknown_event"
    status = 400


class EndpointKnown(DomainError):
    """There is an endpoint with this address already; delete it first, or use another address."""

    code = "endpoint_exists"


class TooManyEndpoints(DomainError):
    """There are as many endpoints as an organisation may have; delete one that is not used."""

    code = "too_many_endpoints"


class EndpointDisabled(DomainError):
    """The endpoint is disabled: enable it first."""

    code = "endpoint_is_disabled"


class EndpointActive(DomainError):
    """The endpoint is active already."""

    code = "endpoint_is_active"


class EndpointGone(DomainError):
    """The endpoint was deleted."""

    code = "endpoint_is_deleted"
