"""The pages: the hosted payment form, and the front page that says what this is."""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

from sandbox import checkout, hosted_payment, money
from sandbox.blank import Resource
from sandbox.cards import CARDS, SUCCESS
from sandbox.charges import Payer
from sandbox.errors import CardDeclined, StripeError
from sandbox.messages import Answer, Request, as_page, as_style, redirect
from sandbox.scope import Scope, ScopeOf
from sandbox.store import Store

_PAGES = Path(__file__).parent / "pages"
_FILLED = {"card_number": SUCCESS, "expiry": "12/34", "cvc": "123", "email": "", "name": ""}
_CLOSED = {
    "complete": "This page has done its work: it was paid already.",
    "expired": "This page has expired. Nothing was charged.",
}
_RULES = {
    "email": (r"[^@\s]+@[^@\s]+", "Please enter an e-mail address, like name@example.org."),
    "expiry": (r"(0[1-9]|1[0-2])\s*/\s*\d\d", "Please enter the expiry as month/year, like 12/34."),
    "cvc": (r"\d{3,4}", "Please enter the three or four digits of the CVC."),
}


class Hosted:
    """Answers browsers."""

    def __init__(self, store: Store, scope_of: ScopeOf) -> None:
        self._store = store
        self._scope_of = scope_of

    def answer(self, request: Request) -> Answer:
        """Return the page at a path, or say that there is none."""
        try:
            if request.path == "/":
                return page(200, "Sandbox", file_text("front.html"))
            if request.path == "/style.css":
                return as_style(file_text("style.css"))
            if request.path.startswith("/pay/"):
                return self._pay(request, request.path.removeprefix("/pay/"))
            raise StripeError(404, "There is no such page.")
        except StripeError as error:
            return sentence(error.status, str(error))

    def _pay(self, request: Request, identifier: str) -> Answer:
        if request.verb == "POST":
            return self._submit(request, identifier)
        with self._store.transaction():
            scope, session = self._find(identifier)
            status = hosted_payment.status_now(scope, session)
            seller = _seller(scope)
        if status != "open":
            return sentence(200, _CLOSED[status])
        email = session["customer_email"] or ""
        return _form(200, session, seller, {**_FILLED, "email": email})

    def _submit(self, request: Request, identifier: str) -> Answer:
        typed = {name: texts[0] for name, texts in parse_qs(_text(request.body)).items()}
        fields = {name: typed.get(name, "").strip() for name in _FILLED}
        with self._store.transaction():
            scope, session = self._find(identifier)
            seller = _seller(scope)
            if hosted_payment.status_now(scope, session) != "open":
                return sentence(409, _CLOSED[session["status"]])
        try:
            _require_filled(fields)
            with self._store.transaction(keep=CardDeclined):
                payer = Payer(fields["email"], fields["name"] or None)
                hosted_payment.pay(scope, session, fields["card_number"], payer)
        except StripeError as error:
            return _form(error.status, session, seller, fields, problem=str(error))
        return redirect(_success_url(session))

    def _find(self, identifier: str) -> tuple[Scope, Resource]:
        found = self._store.find(identifier)
        if not found or found[1]["object"] != checkout.KIND:
            raise StripeError(404, "There is no such payment page.")
        return self._scope_of(found[0]), found[1]


def _text(body: bytes) -> str:
    return body.decode("ascii", errors="replace")


def _seller(scope: Scope) -> str:
    profile = scope.load("account", scope.account)["business_profile"]
    return str(profile["name"] or scope.account)


def _require_filled(fields: dict[str, str]) -> None:
    for name, (pattern, message) in _RULES.items():
        if not re.fullmatch(pattern, fields[name]):
            raise StripeError(400, message, param=name)


def _success_url(session: Resource) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _form(
    status: int, session: Resource, seller: str, fields: dict[str, str], *, problem: str = ""
) -> Answer:
    total = money.written(session["amount_total"], session["currency"])
    shown = {
        **{name: escape(value) for name, value in fields.items()},
        "action": f"/pay/{session['id']}",
        "back": _back(session["cancel_url"]),
        "cards": "".join(_card_row(card.number, card.does) for card in CARDS.values()),
        "problem": f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else "",
        "seller": escape(seller),
        "total": escape(total),
    }
    return page(status, f"Pay {total}", Template(file_text("form.html")).substitute(shown))


def _back(url: str | None) -> str:
    return f'<a class="back" href="{escape(url)}">Back</a>' if url else ""


def _card_row(number: str, does: str) -> str:
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return f"<li><code>{groups}</code> {escape(does)}</li>"


def sentence(status: int, words: str) -> Answer:
    return page(status, "Sandbox", f"<h1>Sandbox payment</h1><p>{escape(words)}</p>")


def page(status: int, title: str, content: str) -> Answer:
    html = Template(file_text("layout.html")).substitute(title=escape(title), content=content)
    policy = "default-src 'none'; style-src 'self'; img-src data:"
    headers: dict[str, Any] = {"Content_Security_Policy": policy, "Cache_Control": "no-store"}
    return as_page(status, html, **headers)


@cache
def file_text(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")
