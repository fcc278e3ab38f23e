"""The `/v1/` half of the sandbox: from a request to Stripe's answer."""

import base64
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox import accounts, blank, form, parameters
from sandbox.blank import Resource
from sandbox.calls import Call, Play, simulated
from sandbox.contract import Contract, Route
from sandbox.errors import CardDeclined, StripeError, not_simulated
from sandbox.expansion import expand
from sandbox.idempotency import remembered
from sandbox.messages import Answer, Request, as_json
from sandbox.outage import Outage
from sandbox.scope import Scope, ScopeOf
from sandbox.store import Store


def require_key(request: Request, secret_key: str) -> None:
    """Refuse a request that does not carry the secret key, as bearer or as basic user name."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        value = base64.b64decode(value + "==").decode(errors="replace").partition(":")[0]
    if not value:
        raise StripeError(401, "You did not provide an API key.")
    if not hmac.compare_digest(value.encode(), secret_key.encode()):
        raise StripeError(401, f"Invalid API Key provided: {value[:8]}***", code="api_key_invalid")


@dataclass
class Api:
    """Stripe's API, as far as the sandbox plays it."""

    store: Store
    scope_of: ScopeOf
    secret_key: str
    outage: Outage
    contract: Contract = field(default_factory=Contract)

    def answer(self, request: Request) -> Answer:
        """Return the answer with its `Request-Id`, be it good or bad."""
        request_id = f"req_{blank.random_text(14)}"
        try:
            found = self._answer(request, request_id)
        except StripeError as error:
            found = as_json(error.status, error.body)
        found.headers.setdefault("Request-Id", request_id)
        return found

    def _answer(self, request: Request, request_id: str) -> Answer:
        require_key(request, self.secret_key)
        self.outage.refuse()
        route, values = self._route(request)
        with self.store.transaction():
            scope = self._scope(request, request_id)
        sent = form.decode(_encoded(request))
        typed = parameters.check(route, sent)
        play = _play(route, typed)
        call = Call(scope, request.path, values, typed)
        with self.store.transaction(keep=CardDeclined):
            return remembered(scope, request, sent, lambda: _played(play, call))

    def _route(self, request: Request) -> tuple[Route, dict[str, str]]:
        found = self.contract.find(request.verb.lower(), request.path)
        if not found:
            message = f"Unrecognized request URL ({request.verb}: {request.path})."
            raise StripeError(404, message)
        return found

    def _scope(self, request: Request, request_id: str) -> Scope:
        account = request.headers.get("Stripe-Account")
        if account and not accounts.is_known(self.store, account):
            raise accounts.no_access(account)
        key = request.headers.get("Idempotency-Key") if request.verb == "POST" else None
        return self.scope_of(account, request_id=request_id, idempotency_key=key)


def _encoded(request: Request) -> str:
    """Return the parameters as they were sent: in the body of a POST, else in the URL."""
    if request.verb != "POST":
        return request.query
    try:
        return request.body.decode("ascii")
    except UnicodeDecodeError as error:
        raise StripeError(400, "The request body is not form-encoded.") from error


def _play(route: Route, typed: dict[str, Any]) -> Play:
    name = f"{route.verb.upper()} {route.path}"
    found = simulated(route.verb, route.path)
    if not found:
        raise not_simulated(name)
    if typed.keys() - found.takes:
        raise not_simulated(f"the parameter {min(typed.keys() - found.takes)} of {name}")
    return found.play


def _played(play: Play, call: Call) -> Resource:
    found: Resource = json.loads(json.dumps(play(call)))
    expand(call.scope, found, call.get("expand", []))
    return found
