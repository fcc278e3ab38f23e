"""The bank account to which an account is paid out: one, which can be swapped for another."""

import re

from sandbox import blank
from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.fingerprints import fingerprint_of
from sandbox.scope import Scope

_IBAN = r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"


def make(account: Resource, iban: str = "") -> Resource:
    """Return the bank account with an IBAN, or else one that nobody knows yet."""
    bank = blank.blank(
        "bank_account",
        id=f"ba_1{blank.random_text(23)}",
        account=account["id"],
        country=iban[:2] or account["country"],
        currency=account["default_currency"],
        fingerprint=fingerprint_of(iban or blank.random_text(16)),
    )
    bank["last4"] = iban[-4:] or bank["last4"]
    return bank


def swap(scope: Scope, typed: str) -> Resource:
    """Pay an account out to another bank account from now on; the one before is taken away."""
    account = scope.load("account", scope.account)
    bank = make(account, _checked(typed))
    former: list[Resource] = account["external_accounts"]["data"]
    if bank["fingerprint"] in [row["fingerprint"] for row in former]:
        message = "This bank account is the account's already."
        raise invalid(message, code="bank_account_exists", param="iban")
    account["external_accounts"].update(data=[bank], total_count=1)
    scope.store.save(account["id"], account)
    scope.emit("account.external_account.created", bank)
    for row in former:
        _take_away(scope, row)
    scope.emit("account.updated", account)
    return bank


def _checked(typed: str) -> str:
    """Return the IBAN without its spaces; refuse what is none, by its check digits (ISO 13616)."""
    iban = typed.replace(" ", "").upper()
    if not re.fullmatch(_IBAN, iban) or _remainder(iban) != 1:
        message = "This is no IBAN: its length or its check digits are wrong."
        raise invalid(message, code="account_number_invalid", param="iban")
    return iban


def _remainder(iban: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in f"{iban[4:]}{iban[:4]}")) % 97


def _take_away(scope: Scope, bank: Resource) -> None:
    bank["default_for_currency"] = False
    scope.emit("account.external_account.updated", bank, {"default_for_currency": True})
    scope.emit("account.external_account.deleted", bank)
