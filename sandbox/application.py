"""The whole sandbox without the wire: stores, threads, and who answers which path."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox import (
    account_links,
    accounts,
    customers,
    events,
    external_account_calls,
    intents,
    invoice_calls,
    subscription_calls,
)
from sandbox.acts import Stage
from sandbox.api import Api
from sandbox.board import Board
from sandbox.connecting import Connecting
from sandbox.control import Control
from sandbox.delivery import Delivery
from sandbox.hosted import Hosted
from sandbox.messages import Answer, Request, as_json
from sandbox.outage import Outage
from sandbox.outbox import Outbox
from sandbox.scope import Scope
from sandbox.settlement import Settlement
from sandbox.store import Store

# These fill the register of calls when they are imported.
PLAYED = (
    account_links,
    accounts,
    customers,
    events,
    external_account_calls,
    intents,
    invoice_calls,
    subscription_calls,
)


@dataclass(frozen=True)
class Settings:
    """How the sandbox is set up; `settle_seconds` is how long a charge waits for its balance."""

    folder: Path
    webhook_url: str
    webhook_secret: str
    secret_key: str
    settle_seconds: float = 0.2


class Application:
    """One sandbox, ready to answer requests."""

    def __init__(self, settings: Settings, base_url: str) -> None:
        self._store = store = Store(settings.folder)
        outbox = Outbox(store)
        with store.transaction():
            accounts.open_platform(store)
        scope_of = partial(_scope, store, outbox, base_url)
        outage = Outage()
        self._settlement = Settlement(store, scope_of, after_seconds=settings.settle_seconds)
        stage = Stage(store, scope_of, outbox, self._settlement, outage)
        self._api = Api(store, scope_of, settings.secret_key, outage)
        self._connecting = Connecting(store, scope_of, settings.secret_key)
        self._control = Control(stage, settings.secret_key)
        self._hosted = Hosted(store, scope_of, Board(stage, self._control))
        self._delivery = Delivery(
            store, outbox, url=settings.webhook_url, secret=settings.webhook_secret
        )

    def start(self) -> None:
        self._delivery.start()
        self._settlement.start()

    def stop(self) -> None:
        """Stop the threads; what was not delivered stays for the next start."""
        self._settlement.stop()
        self._delivery.stop()
        self._store.close()

    def answer(self, request: Request) -> Answer:
        """Pass a request to the half of the sandbox that it is for."""
        if request.path == "/healthz":
            return as_json(200, {"status": "ok"})
        if request.path.startswith("/v1/"):
            return self._api.answer(request)
        if request.path.startswith("/_control/"):
            return self._control.answer(request)
        if request.path.startswith(("/oauth/", "/setup/")):
            return self._connecting.answer(request)
        return self._hosted.answer(request)


def _scope(
    store: Store,
    outbox: Outbox,
    base_url: str,
    account: str | None = None,
    *,
    request_id: str | None = None,
    idempotency_key: str | None = None,
) -> Scope:
    """Return the scope of an account, or of the platform itself."""
    scope = Scope(store, outbox, account or "", base_url, request_id, idempotency_key)
    return scope if account else accounts.connected_scope(scope, scope.platform)
