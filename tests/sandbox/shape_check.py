"""Compares JSON with the resource classes of the `stripe` package, field by field."""

import typing
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._stripe_object import StripeObject, UntypedStripeObject

KINDS: dict[str, Any] = {
    "account": stripe.Account,
    "account_link": stripe.AccountLink,
    "application": stripe.Application,
    "balance": stripe.Balance,
    "balance_transaction": stripe.BalanceTransaction,
    "bank_account": stripe.BankAccount,
    "capability": stripe.Capability,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "item": stripe.LineItem,
    "line_item": stripe.InvoiceLineItem,
    "payment_intent": stripe.PaymentIntent,
    "payout": stripe.Payout,
    "plan": stripe.Plan,
    "price": stripe.Price,
    "product": stripe.Product,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
    "subscription_item": stripe.SubscriptionItem,
}


def faults(value: Any, where: str = "") -> list[str]:
    """Return what is wrong with an answer of the API: nothing, if it is Stripe's shape."""
    if value["object"] == "list":
        return [
            fault
            for index, item in enumerate(value["data"])
            for fault in faults(item, f"{where}[{index}]")
        ]
    found = _faults(value, KINDS[value["object"]], where or value["object"])
    if value["object"] == "event":
        found += faults(value["data"]["object"], f"{value['type']}.data")
    return found


def _faults(value: Any, hint: Any, where: str) -> list[str]:
    """Compare a value with any type that the classes use."""
    if isinstance(hint, ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return _named_faults(value, hint, where)
    if get_origin(hint) is not None:
        return _generic_faults(value, hint, where)
    if hint is Any:
        return []
    if issubclass(hint, StripeObject):
        return _object_faults(value, hint, where)
    kinds = {float: (int, float), Decimal: str}.get(hint, hint)
    is_right = isinstance(value, kinds) and isinstance(value, bool) == (hint is bool)
    return [] if is_right else [f"{where}: {value!r} is not {hint}"]


def _generic_faults(value: Any, hint: Any, where: str) -> list[str]:
    origin = get_origin(hint)
    if origin is Union:
        return _union_faults(value, get_args(hint), where)
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{where}: {value!r} is not listed"]
    if origin is list:
        return _list_faults(value, get_args(hint)[0], where)
    if origin is stripe.ListObject:
        return faults(value, where)
    assert origin is UntypedStripeObject, origin
    return [] if isinstance(value, dict) else [f"{where}: {value!r} is not an object"]


def _named_faults(value: Any, name: str, where: str) -> list[str]:
    if name == "str":
        return _faults(value, str, where)
    if isinstance(value, dict) and value.get("object") in KINDS:
        return faults(value, where)
    return [f"{where}: {value!r} is no {name}"]


def _union_faults(value: Any, hints: tuple[Any, ...], where: str) -> list[str]:
    if value is None and type(None) in hints:
        return []
    if any(get_origin(hint) is Literal for hint in hints):
        hints = tuple(hint for hint in hints if hint is not str)
    attempts = [_faults(value, hint, where) for hint in hints if hint is not type(None)]
    return min(attempts, key=len)


def _list_faults(value: Any, hint: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{where}: {value!r} is not a list"]
    return [
        fault
        for index, item in enumerate(value)
        for fault in _faults(item, hint, f"{where}[{index}]")
    ]


def _object_faults(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is not an object"]
    fields = _fields(kind)
    found = [f"{where}.{name} is unknown" for name in value if name not in fields]
    found += [
        f"{where}.{name} is missing"
        for name, hint in fields.items()
        if name not in value and type(None) not in get_args(hint) and name != "deleted"
    ]
    for name in value.keys() & fields.keys():
        found += _faults(value[name], fields[name], f"{where}.{name}")
    return found


@cache
def _fields(kind: Any) -> dict[str, Any]:
    """Return a class's annotated fields; names that only type checkers import stay as they are."""
    names = {**vars(typing), **vars(import_module(kind.__module__)), **vars(kind)}
    fields: dict[str, Any] = {}
    for name, hint in kind.__annotations__.items():
        if get_origin(hint) is not typing.ClassVar and not name.startswith("_"):
            fields[name] = _resolved(hint, names)
    return fields


def _resolved(hint: Any, names: dict[str, Any]) -> Any:
    text = hint if isinstance(hint, str) else getattr(hint, "__forward_arg__", None)
    if text is None:
        return hint
    try:
        return eval(text, names)
    except (NameError, TypeError):
        return text
