"""Stripe's objects before anything has happened to them, and their identifiers."""

import json
import secrets
import string
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

_SHAPES = Path(__file__).parent / "shapes"
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIXES = {
    "account": "acct_1",
    "balance_transaction": "txn_3",
    "charge": "ch_3",
    "checkout.session": "cs_test_a1",
    "customer": "cus_T",
    "dispute": "dp_1",
    "event": "evt_3",
    "invoice": "in_1",
    "invoice_payment": "inpay_1",
    "line_item": "il_1",
    "mandate": "mandate_1",
    "payment": "py_3",
    "payment_intent": "pi_3",
    "payout": "po_1",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_T",
    "radar.early_fraud_warning": "issfr_1",
    "refund": "re_3",
    "subscription": "sub_1",
    "subscription_item": "si_T",
}


def blank(kind: str, **fields: Any) -> Resource:
    """Return a new object of a kind with these fields filled in."""
    return {**deepcopy(_shape(kind)), **fields}


@cache
def _shape(kind: str) -> Resource:
    path = _SHAPES / f"{kind.replace('.', '_')}.json"
    shape: Resource = json.loads(path.read_text(encoding="utf-8"))
    return shape


def identifier(kind: str, *, account: str = "", moment: int = 0) -> str:
    """Return an id that looks like Stripe's: prefix, time, the account's tail, and chance."""
    if kind == "checkout.session":
        return _PREFIXES[kind] + random_text(56)
    return _PREFIXES[kind] + _base62(moment) + (account or random_text(8))[-8:] + random_text(9)


def random_text(length: int) -> str:
    """Return letters and digits that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _base62(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters.rjust(6, "0")
