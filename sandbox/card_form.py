"""The form into which a payer types a test card: of a session's page, and of an invoice's."""

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from sandbox import money
from sandbox.cards import CARDS, SUCCESS
from sandbox.charges import Payer
from sandbox.errors import StripeError
from sandbox.messages import Answer, Request
from sandbox.paper import filled, page
from sandbox.scope import Scope

_FILLED = {"card_number": SUCCESS, "expiry": "12/34", "cvc": "123", "email": "", "name": ""}
_RULES = {
    "email": (r"[^@\s]+@[^@\s]+", "Please enter an e-mail address, like name@example.org."),
    "expiry": (r"(0[1-9]|1[0-2])\s*/\s*\d\d", "Please enter the expiry as month/year, like 12/34."),
    "cvc": (r"\d{3,4}", "Please enter the three or four digits of the CVC."),
}


@dataclass(frozen=True)
class Bill:
    """What a form asks for: how much, how often, for whom, and where it is sent."""

    action: str
    seller: str
    amount: int
    currency: str
    rhythm: str = ""
    back: str | None = None

    @property
    def total(self) -> str:
        return f"{money.written(self.amount, self.currency)} {self.rhythm}".strip()


def seller_of(scope: Scope) -> str:
    profile = scope.load("account", scope.account)["business_profile"]
    return str(profile["name"] or scope.account)


def typed(request: Request) -> dict[str, str]:
    """Return what was typed into the form."""
    text = request.body.decode("ascii", errors="replace")
    found = {name: texts[0].strip() for name, texts in parse_qs(text).items()}
    return {name: found.get(name, "") for name in _FILLED}


def payer_of(fields: dict[str, str]) -> Payer:
    """Return the payer; refuse a form that is filled in wrongly."""
    for name, (pattern, message) in _RULES.items():
        if not re.fullmatch(pattern, fields[name]):
            raise StripeError(400, message, param=name)
    return Payer(fields["email"], fields["name"] or None)


def empty(bill: Bill, *, email: str | None) -> Answer:
    return form(200, bill, {**_FILLED, "email": email or ""})


def form(status: int, bill: Bill, fields: dict[str, str], *, problem: str = "") -> Answer:
    """Return the page with the form, as it was typed."""
    content = filled(
        "form.html",
        **{name: escape(value) for name, value in fields.items()},
        action=escape(bill.action),
        back=f'<a class="back" href="{escape(bill.back)}">Back</a>' if bill.back else "",
        cards="".join(_row(card.number, card.does) for card in CARDS.values()),
        problem=f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else "",
        seller=escape(bill.seller),
        total=escape(bill.total),
    )
    return page(status, f"Pay {bill.total}", content)


def _row(number: str, does: str) -> str:
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return f"<li><code>{groups}</code> {escape(does)}</li>"
