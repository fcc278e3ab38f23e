"""OAuth as Stripe Connect has it: a code for an account, and the code for the account's id."""

import json
import time
from collections.abc import Mapping

from sandbox import accounts, blank
from sandbox.blank import Resource
from sandbox.scope import Scope, ScopeOf
from sandbox.store import Store

_CODE_SECONDS = 300
_NOTE = "oauth_code"


class OAuthError(Exception):
    """What is refused, in the form of RFC 6749 §5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


def issue_code(store: Store, account: str) -> str:
    """Return a code that gives access to an account, once and for some minutes."""
    code = f"ac_{blank.random_text(32)}"
    kept = {"account": account, "expires_at": time.time() + _CODE_SECONDS}
    store.note(code, _NOTE, json.dumps(kept))
    return code


def token(store: Store, scope_of: ScopeOf, sent: Mapping[str, str]) -> Resource:
    """Exchange a code: the account is connected from now on."""
    if sent.get("grant_type") != "authorization_code":
        message = "The grant type must be authorization_code."
        raise OAuthError("unsupported_grant_type", message)
    code = sent.get("code", "")
    kept = json.loads(store.noted(code, _NOTE) or "{}")
    if time.time() >= kept.get("expires_at", 0):
        message = f"The authorization code does not exist, expired or was used: {code}"
        raise OAuthError("invalid_grant", message)
    store.note(code, _NOTE, json.dumps({**kept, "expires_at": 0}))
    accounts.connect(store, kept["account"])
    return {
        "access_token": f"sk_test_{blank.random_text(24)}",
        "livemode": False,
        "refresh_token": f"rt_{blank.random_text(24)}",
        "token_type": "bearer",
        "stripe_publishable_key": f"pk_test_{blank.random_text(24)}",
        "stripe_user_id": kept["account"],
        "scope": "read_write",
    }


def deauthorize(store: Store, scope_of: ScopeOf, sent: Mapping[str, str]) -> Resource:
    """End the platform's access to an account, as its dashboard's owner could."""
    account = sent.get("stripe_user_id", "")
    if not accounts.is_known(store, account):
        message = (
            "This application is not connected to the Stripe account"
            f" {account}, or it does not exist."
        )
        raise OAuthError("invalid_client", message, status=401)
    scope: Scope = scope_of(account)
    accounts.disconnect(scope)
    return {"stripe_user_id": account}
