"""The platform's connected accounts."""

import time
from typing import Any

from sandbox import blank, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import StripeError
from sandbox.lists import PAGING, Filter, page_of
from sandbox.scope import PLATFORM, Scope
from sandbox.store import Store

_CURRENCIES = {"CH": "chf", "DK": "dkk", "GB": "gbp", "JP": "jpy", "NO": "nok", "PL": "pln"}
_CURRENCIES |= {"AU": "aud", "CA": "cad", "NZ": "nzd", "SE": "sek", "US": "usd", "KW": "kwd"}
_FIELDS = "business_profile business_type capabilities controller country default_currency email"
_CHANGED = "business_profile business_type default_currency email metadata settings"


def open_platform(store: Store) -> None:
    """Make the account that owns the secret key, when there is none yet."""
    if store.noted(PLATFORM, "account") is None:
        account = _blank_account("FR", {"business_profile": {"name": "Donation platform"}})
        store.save(account["id"], account)
        store.note(PLATFORM, "account", account["id"])


def is_known(store: Store, identifier: str) -> bool:
    found = store.find(identifier)
    return bool(found and found[1]["object"] == "account")


def no_access(identifier: str) -> StripeError:
    """Return the 403 for an account that is not the platform's."""
    message = (
        f"The provided key does not have access to account '{identifier}' (or that account does"
        " not exist). Application access may have been revoked."
    )
    return StripeError(403, message, code="account_invalid")


def _blank_account(country: str, parameters: dict[str, Any], created: int = 0) -> Resource:
    moment = created or int(time.time())
    identifier = blank.identifier("account", moment=moment)
    account = blank.blank("account", id=identifier, created=moment, country=country)
    account["default_currency"] = _CURRENCIES.get(country, "eur")
    account["tos_acceptance"] = {"date": moment}
    _apply(account, parameters)
    holding = account["external_accounts"]
    holding["url"] = f"/v1/accounts/{identifier}/external_accounts"
    holding["data"][0].update(
        id=f"ba_1{blank.random_text(23)}",
        account=identifier,
        country=country,
        currency=account["default_currency"],
        fingerprint=blank.random_text(16),
    )
    return account


def _apply(account: Resource, parameters: dict[str, Any]) -> None:
    for name in ("business_type", "email", "type"):
        account[name] = parameters.get(name, account[name])
    if "default_currency" in parameters:
        account["default_currency"] = money.checked_currency(
            parameters["default_currency"], param="default_currency"
        )
    account["business_profile"].update(parameters.get("business_profile", {}))
    account["metadata"].update(parameters.get("metadata") or {})
    for part in ("payments", "card_payments"):
        account["settings"][part].update(parameters.get("settings", {}).get(part, {}))
    account["settings"]["dashboard"]["display_name"] = account["business_profile"]["name"]
    if "controller" in parameters:
        account["type"] = "none"


@answers("post", "/v1/accounts", f"{_FIELDS} metadata settings type")
def create(call: Call) -> Resource:
    """Open a connected account that may charge and be paid out at once."""
    country = call.get("country", "FR").upper()
    account = _blank_account(country, call.parameters, created=call.scope.now())
    call.scope.store.save(account["id"], account)
    return account


@answers("post", "/v1/accounts/{account}", _CHANGED)
def update(call: Call) -> Resource:
    account = _load(call.scope, call.values["account"])
    _apply(account, call.parameters)
    call.scope.store.save(account["id"], account)
    connected_scope(call.scope, account["id"]).emit("account.updated", account)
    return account


def connected_scope(scope: Scope, account: str) -> Scope:
    """Return the same view on another account."""
    return Scope(
        scope.store, scope.outbox, account, scope.base_url, scope.request_id, scope.idempotency_key
    )


def _load(scope: Scope, identifier: str) -> Resource:
    if not is_known(scope.store, identifier):
        raise no_access(identifier)
    return scope.store.find(identifier)[1]  # type: ignore[index]


@answers("get", "/v1/account")
def retrieve_own(call: Call) -> Resource:
    return _load(call.scope, call.scope.account)


@answers("get", "/v1/accounts/{account}")
def retrieve(call: Call) -> Resource:
    return _load(call.scope, call.values["account"])


@answers("get", "/v1/accounts", PAGING)
def list_accounts(call: Call) -> Resource:
    wanted = Filter()
    wanted.add("id <> ?", call.scope.platform)
    return page_of(call, "account", wanted)
