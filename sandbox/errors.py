"""What the sandbox refuses, in the shape in which Stripe refuses it."""

from typing import Any


class StripeError(Exception):
    """An answer that is an error: a status and Stripe's `{"error": {…}}` body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        found = {"code": code, "message": message, "param": param, "type": type, **more}
        if code:
            page = code.replace("_", "-")
            found["doc_url"] = f"https://docs.stripe.com/error-codes#{page}"
        self.body = {"error": {name: value for name, value in found.items() if value is not None}}


class CardDeclined(StripeError):
    """The bank said no: what failed is kept and told, and the caller gets a 402."""

    def __init__(self, message: str, *, code: str = "card_declined", **more: Any) -> None:
        super().__init__(402, message, code=code, type="card_error", **more)


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """Return the 400 for a request that makes no sense."""
    return StripeError(400, message, code=code, param=param)


def missing(kind: str, identifier: str, *, param: str = "id", status: int = 404) -> StripeError:
    """Return the error for an object that this account does not have."""
    return StripeError(
        status, f"No such {kind}: '{identifier}'", code="resource_missing", param=param
    )


def not_simulated(what: str) -> StripeError:
    """Return the 501 for something that Stripe knows and the sandbox does not play."""
    message = f"The sandbox knows {what} but does not simulate it."
    return StripeError(501, message, code="not_simulated", type="api_error")
