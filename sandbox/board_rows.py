"""What the sandbox's page shows of accounts: money, gifts, subscriptions, payouts, events."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from html import escape

from sandbox import balance, card_form, charges, money, periods, refunds, subscriptions
from sandbox.acts import Stage
from sandbox.blank import Resource
from sandbox.paper import text_of
from sandbox.platform_controls import has_automatic_payouts
from sandbox.presses import NETWORK, PRESSES
from sandbox.scope import Scope

_ROWS_MAX = 10
_ACCOUNTS_MAX = 50

Row = Callable[[Scope, Resource], str]


def accounts(stage: Stage) -> dict[str, str]:
    """Return the parts of the front page: the connected accounts, newest first."""
    own = stage.scope_of(None).platform
    found = [
        row for row in stage.store.newest("account", limit=_ACCOUNTS_MAX + 1) if row["id"] != own
    ]
    rows = [_account_row(stage.scope_of(row["id"])) for row in found[:_ACCOUNTS_MAX]]
    content = _list("Accounts", rows, "None yet: the API or the demo opens them.")
    return {"title": "Sandbox", "intro": text_of("front.html"), "content": content, "back": ""}


def _account_row(scope: Scope) -> str:
    seller = escape(card_form.seller_of(scope))
    link = f'<a href="/accounts/{scope.account}">{seller}</a>'
    return _row(link, [scope.account, _money_of(scope)])


def account(scope: Scope, account: Resource) -> dict[str, str]:
    """Return the parts of one account's page."""
    banks = account["external_accounts"]["data"]
    swap = _buttons(("swap_bank", account["id"]))
    send = "<p>Its platform sends them.</p>"
    if has_automatic_payouts(account):
        send = _buttons(("payout", account["id"]))
    lists = [
        _newest(scope, "Gifts", "charge", _gift),
        _newest(scope, "Subscriptions", "subscription", _subscription),
        _newest(scope, "Payouts", "payout", _payout, beside=send),
        _list("Bank account", map(_bank, banks), "None yet.", swap),
        _newest(scope, "Deliveries", "event", _event),
    ]
    return {
        "title": escape(card_form.seller_of(scope)),
        "intro": escape(f"{account['id']} · {_money_of(scope)}"),
        "content": "".join(lists),
        "back": '<p><a class="back" href="/">All accounts</a></p>',
    }


_MODES = {
    "normal": "Events are delivered as usual",
    "hold": "Events are held back",
    "drop": "Events are dropped",
    "shuffle": "Events are delivered in any order",
}


def network(stage: Stage) -> dict[str, str]:
    """Return how events travel and whether the API answers, with the buttons that change it."""
    counts = stage.counts()
    mode = counts["mode"]
    state = (
        f"{_MODES.get(mode, f'Delivery is set to {mode}')}: {counts['delivered']} arrived,"
        f" {counts['queued']} wait, {counts['dropped']} were dropped."
    )
    down = " The API is down." if stage.outage.is_on else ""
    buttons = _buttons(*((name, "") for name in NETWORK if name != mode))
    return {"network": f"<p>{state}{down}</p>{buttons}"}


def _money_of(scope: Scope) -> str:
    sums = balance.totals(scope)
    parts = [
        f"{money.written(amount, currency)} {word}"
        for is_available, word in ((True, "available"), (False, "pending"))
        for currency, amount in sums[is_available].items()
    ]
    return ", ".join(parts) or "no money yet"


def _newest(scope: Scope, title: str, kind: str, row: Row, *, beside: str = "") -> str:
    found = scope.store.newest(kind, account=scope.account, limit=_ROWS_MAX)
    return _list(title, (row(scope, resource) for resource in found), "None yet.", beside)


def _list(title: str, rows: Iterable[str], none: str, beside: str = "") -> str:
    items = "".join(rows)
    content = f'<ul class="rows">{items}</ul>' if items else f"<p>{none}</p>"
    return f'<div class="head"><h2>{title}</h2>{beside}</div>{content}'


def _row(title: str, facts: Iterable[str], *buttons: tuple[str, str]) -> str:
    """Return one row: its title is HTML already, its facts are not."""
    told = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f"<li><div><strong>{title}</strong><br><span>{told}</span></div>{_buttons(*buttons)}</li>"
    )


def _buttons(*buttons: tuple[str, str]) -> str:
    made = "".join(
        f'<button name="press" value="{name}:{of}">{escape(PRESSES[name].label)}</button>'
        for name, of in buttons
    )
    return f'<div class="buttons">{made}</div>' if made else ""


def _when(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %b %Y %H:%M")


def _gift(scope: Scope, charge: Resource) -> str:
    amount = escape(money.written(charge["amount"], charge["currency"]))
    facts, buttons = [_state(charge)], []
    if charge["status"] == "pending":
        buttons.append(("clear", charge["payment_intent"]))
    if _is_authorised_only(charge):
        buttons.append(("lapse", charge["payment_intent"]))
    if charge["amount_captured"] and charge["amount_refunded"]:
        facts.append(f"{money.written(charge['amount_refunded'], charge['currency'])} refunded")
    buttons += _contests(scope, charge, facts)
    given_back = scope.store.related(scope.account, "refund", "charge", charge["id"])
    buttons += [("fail_refund", row["id"]) for row in given_back if refunds.can_fail(row)][:1]
    facts += [charge["billing_details"]["email"], _when(charge["created"]), charge["id"]]
    return _row(amount, facts, *buttons)


def _is_authorised_only(charge: Resource) -> bool:
    return (charge["status"], charge["captured"], charge["refunded"]) == ("succeeded", False, False)


def _state(charge: Resource) -> str:
    if _is_authorised_only(charge):
        end = charge["payment_method_details"]["card"]["capture_before"]
        return f"authorised until {_when(end)}"
    if charge["status"] == "succeeded" and not charge["captured"]:
        return "released"
    return str(charge["status"])


_OF_DISPUTES = {
    "needs_response": ("win", "lose"),
    "warning_needs_response": ("escalate", "drop_inquiry"),
}


def _contests(scope: Scope, charge: Resource, facts: list[str]) -> list[tuple[str, str]]:
    """Return the buttons for a gift that a bank may still ask about, or asks about already."""
    claims = scope.store.related(scope.account, "dispute", "charge", charge["id"])
    if claims:
        facts.append(f"dispute: {claims[0]['status'].replace('_', ' ')}")
        return [(name, claims[0]["id"]) for name in _OF_DISPUTES.get(claims[0]["status"], ())]
    if charge["status"] != "succeeded" or not charge["captured"] or charge["refunded"]:
        return []
    is_card = charge["payment_method_details"]["type"] == "card"
    names = ("dispute", "inquire") if is_card else ("dispute",)
    return [(name, charge["id"]) for name in names]


def _subscription(scope: Scope, subscription: Resource) -> str:
    item = subscriptions.item_of(subscription)
    price = item["price"]
    amount = money.written(price["unit_amount"], price["currency"])
    title = escape(f"{amount} {periods.rhythm(price['recurring'])}")
    card = charges.card_on_file(scope, subscription["default_payment_method"])
    facts = [
        subscription["status"].replace("_", " "),
        "collection is paused" if subscription["pause_collection"] else "",
        f"card {card.last4}",
        f"until {_when(item['current_period_end'])}",
        subscription["id"],
    ]
    owed = [
        row for row in subscriptions.invoices_of(scope, subscription) if row["status"] == "open"
    ]
    if owed:
        title += f' <a href="/invoice/{owed[0]["id"]}">invoice to pay</a>'
    if subscription["status"] in subscriptions.ENDED:
        return _row(title, facts)
    tries = [("retry", row["id"]) for row in owed[:1]]
    return _row(title, facts, ("renew", subscription["id"]), *tries)


def _payout(scope: Scope, payout: Resource) -> str:
    amount = escape(money.written(payout["amount"], payout["currency"]))
    by = "automatic" if payout["automatic"] else "manual"
    buttons = {
        "pending": ("arrive", "fail_payout"),
        "in_transit": ("arrive", "fail_payout"),
        "paid": ("fail_payout",),
    }.get(payout["status"], ())
    facts = [payout["status"], by, _when(payout["created"]), payout["id"]]
    return _row(amount, facts, *((name, payout["id"]) for name in buttons))


def _bank(bank: Resource) -> str:
    facts = [bank["country"], bank["currency"], bank["fingerprint"], bank["id"]]
    return _row(escape(f"{bank['bank_name']} ···· {bank['last4']}"), facts)


def _event(scope: Scope, event: Resource) -> str:
    state = scope.outbox.state_of(event["id"])
    facts = [state, _when(event["created"]), event["id"]]
    return _row(escape(event["type"]), facts, ("deliver", event["id"]))
