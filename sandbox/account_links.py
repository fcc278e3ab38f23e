"""Account links: the page on which somebody answers what Stripe asks an account for."""

import json
import time

from sandbox import accounts, blank
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import StripeError, invalid
from sandbox.store import Store

_SECONDS = 300
_NOTE = "account_link"
_COLLECTED = "collect collection_options"


@answers("post", "/v1/account_links", f"account refresh_url return_url type {_COLLECTED}")
def create(call: Call) -> Resource:
    """Return a link that works once, for some minutes."""
    account, scope = call.get("account"), call.scope
    if not accounts.is_known(scope.store, account):
        raise accounts.no_access(account)
    if call.get("type") != "account_onboarding":
        message = "The account's owner updates it on the dashboard; use account_onboarding."
        raise invalid(message, param="type")
    for name in ("refresh_url", "return_url"):
        if not str(call.get(name)).startswith(("http://", "https://")):
            raise invalid("Not a valid URL", code="url_invalid", param=name)
    token, now = blank.random_text(32), int(time.time())
    kept = {name: call.get(name) for name in ("account", "refresh_url", "return_url")}
    scope.store.note(token, _NOTE, json.dumps({**kept, "expires_at": now + _SECONDS}))
    return {
        "object": "account_link",
        "created": now,
        "expires_at": now + _SECONDS,
        "url": f"{scope.base_url}/setup/{token}",
    }


def find(store: Store, token: str) -> dict[str, str]:
    """Return what a link says: its account and where it leads back to."""
    noted = store.noted(token, _NOTE)
    if not noted:
        raise StripeError(404, "There is no such page.")
    found: dict[str, str] = json.loads(noted)
    return found


def is_over(link: dict[str, str]) -> bool:
    """Tell whether a link was used, or its time has passed."""
    return time.time() >= int(link["expires_at"])


def use_up(store: Store, token: str, link: dict[str, str]) -> None:
    """End a link: it has done its work."""
    store.note(token, _NOTE, json.dumps({**link, "expires_at": 0}))
