"""The platform's connected accounts: opened, filled in, connected and disconnected."""

import time
from typing import Any

from sandbox import blank, external_accounts, money, platform_controls
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import StripeError
from sandbox.lists import PAGING, Filter, page_of
from sandbox.scope import DISCONNECTED, PLATFORM, Scope
from sandbox.store import Store

_CURRENCIES = {"CH": "chf", "DK": "dkk", "GB": "gbp", "JP": "jpy", "NO": "nok", "PL": "pln"}
_CURRENCIES |= {"AU": "aud", "CA": "cad", "NZ": "nzd", "SE": "sek", "US": "usd", "KW": "kwd"}
_FIELDS = "business_profile business_type capabilities controller country default_currency email"
_CHANGED = "business_profile business_type default_currency email metadata settings"
# What a new account is asked for when Stripe collects it: names of requirements as Stripe has them.
ASKED_FIRST = [
    "business_profile.mcc",
    "business_profile.url",
    "business_type",
    "company.tax_id",
    "external_account",
    "representative.dob.day",
    "representative.first_name",
    "representative.last_name",
    "tos_acceptance.date",
    "tos_acceptance.ip",
]
_DUE = ("currently_due", "past_due", "eventually_due")


def open_platform(store: Store) -> None:
    """Make the account that owns the secret key, when there is none yet."""
    if store.noted(PLATFORM, "account") is None:
        account = _blank_account("FR", {"business_profile": {"name": "Donation platform"}})
        store.save(account["id"], account)
        store.note(PLATFORM, "account", account["id"])


def is_known(store: Store, identifier: str) -> bool:
    """Tell whether the platform may act for an account: it is there, and connected."""
    found = store.find(identifier)
    is_account = bool(found and found[1]["object"] == "account")
    return is_account and not store.noted(identifier, DISCONNECTED)


def connect(store: Store, identifier: str) -> None:
    """Let the platform act for an account from now on."""
    store.note(identifier, DISCONNECTED, "")


def disconnect(scope: Scope) -> None:
    """End the platform's access to an account; the event about it is the last."""
    application = {"id": scope.application, "object": "application", "name": "Donation platform"}
    scope.emit("account.application.deauthorized", application)
    scope.store.note(scope.account, DISCONNECTED, "1")


def open_elsewhere(store: Store, country: str) -> Resource:
    """Make an account of somebody who has nothing to do with the platform yet."""
    account = _blank_account(country, {"business_profile": {"name": "An account of my own"}})
    store.save(account["id"], account)
    store.note(account["id"], DISCONNECTED, "1")
    return account


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
    account["controller"].update(platform_controls.controller_of(parameters))
    _apply(account, parameters)
    holding = account["external_accounts"]
    holding.update(
        data=[external_accounts.make(account)], url=f"/v1/accounts/{identifier}/external_accounts"
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
    if "payouts" in parameters.get("settings", {}):
        platform_controls.set_payouts(account, parameters["settings"]["payouts"])


@answers("post", "/v1/accounts", f"{_FIELDS} metadata settings type")
def create(call: Call) -> Resource:
    """
    Open a connected account.

    One with `controller` has to be filled in first; the others may charge and be paid out at once,
    so that tests need not fill in each.
    """
    country = call.get("country", "FR").upper()
    account = _blank_account(country, call.parameters, created=call.scope.now())
    if "controller" in call.parameters:
        account.update(details_submitted=False, tos_acceptance={"date": None})
        account["external_accounts"].update(data=[], total_count=0)
        _set_due(account, currently_due=ASKED_FIRST, past_due=ASKED_FIRST)
    call.scope.store.save(account["id"], account)
    return account


def require(scope: Scope, *, currently_due: list[str], past_due: list[str]) -> Resource:
    """Ask an account for more; what is past due stops its charges and payouts."""
    account = scope.load("account", scope.account)
    return _tell_due(scope, account, currently_due=currently_due, past_due=past_due)


def fill_in(scope: Scope, fields: list[str]) -> Resource:
    """Answer what an account was asked for; who answers all may charge and be paid out."""
    account = scope.load("account", scope.account)
    left = {
        name: [field for field in account["requirements"][name] if field not in fields]
        for name in ("currently_due", "past_due")
    }
    if "external_account" in fields:
        bank = external_accounts.make(account)
        account["external_accounts"].update(data=[bank], total_count=1)
    account["details_submitted"] = account["details_submitted"] or not left["currently_due"]
    return _tell_due(scope, account, **left)


def _tell_due(scope: Scope, account: Resource, **due: list[str]) -> Resource:
    before = dict(account["capabilities"])
    _set_due(account, **due)
    scope.store.save(account["id"], account)
    scope.emit("account.updated", account)
    for name, status in account["capabilities"].items():
        if status != before[name]:
            scope.emit("capability.updated", _capability(account, name))
    return account


def _set_due(account: Resource, *, currently_due: list[str], past_due: list[str]) -> None:
    is_enabled = not past_due
    lists = (currently_due, past_due, currently_due)
    account["requirements"].update(zip(_DUE, map(list, lists), strict=True))
    account["requirements"]["disabled_reason"] = None if is_enabled else "requirements.past_due"
    account.update(charges_enabled=is_enabled, payouts_enabled=is_enabled)
    status = "active" if is_enabled else "inactive"
    account["capabilities"] = dict.fromkeys(account["capabilities"], status)


def _capability(account: Resource, name: str) -> Resource:
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": account["future_requirements"],
        "requested": True,
        "requested_at": account["created"],
        "requirements": account["requirements"],
        "status": account["capabilities"][name],
    }


@answers("post", "/v1/accounts/{account}", _CHANGED)
def update(call: Call) -> Resource:
    account = load(call.scope, call.values["account"])
    _apply(account, call.parameters)
    call.scope.store.save(account["id"], account)
    connected_scope(call.scope, account["id"]).emit("account.updated", account)
    return account


def connected_scope(scope: Scope, account: str) -> Scope:
    """Return the same view on another account."""
    return Scope(
        scope.store, scope.outbox, account, scope.base_url, scope.request_id, scope.idempotency_key
    )


def load(scope: Scope, identifier: str) -> Resource:
    """Return an account that the platform may act for."""
    if not is_known(scope.store, identifier):
        raise no_access(identifier)
    return scope.store.find(identifier)[1]  # type: ignore[index]


@answers("get", "/v1/account")
def retrieve_own(call: Call) -> Resource:
    return load(call.scope, call.scope.account)


@answers("get", "/v1/accounts/{account}")
def retrieve(call: Call) -> Resource:
    return load(call.scope, call.values["account"])


@answers("get", "/v1/accounts", PAGING)
def list_accounts(call: Call) -> Resource:
    wanted = Filter()
    wanted.add("id <> ?", call.scope.platform)
    wanted.add("id NOT IN (SELECT id FROM notes WHERE name = ? AND value <> '')", DISCONNECTED)
    return page_of(call, "account", wanted)
