"""The forms into which a payer types a test card or IBAN: of a session's page, and an invoice's."""

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from sandbox import money
from sandbox.banks import BANK_ACCOUNTS, CLEARS
from sandbox.cards import LISTED, SUCCESS
from sandbox.charges import AUTHORISED_DAYS, Payer
from sandbox.errors import StripeError
from sandbox.messages import Answer, Request
from sandbox.paper import filled, page
from sandbox.scope import Scope

_FILLED = {"card_number": SUCCESS, "expiry": "12/34", "cvc": "123", "email": "", "name": ""}
_EMAIL = (r"[^@\s]+@[^@\s]+", "Please enter an e-mail address, like name@example.org.")
_DEBIT_RULES = {
    "email": _EMAIL,
    "name": (r".+", "Please enter the name of the account's holder."),
}
_CARD_RULES = {
    "email": _EMAIL,
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
    takes_debits: bool = False
    is_authorised_only: bool = False

    @property
    def total(self) -> str:
        return f"{money.written(self.amount, self.currency)} {self.rhythm}".strip()

    @property
    def note(self) -> str:
        if not self.is_authorised_only:
            return ""
        return (
            "Your card is authorised only, and nothing is taken yet. The payment is captured within"
            f" {AUTHORISED_DAYS} days, or your bank releases the money."
        )


def seller_of(scope: Scope) -> str:
    profile = scope.load("account", scope.account)["business_profile"]
    return str(profile["name"] or scope.account)


def typed(request: Request) -> dict[str, str]:
    """Return what was typed into the form of cards or that of debits."""
    text = request.body.decode("ascii", errors="replace")
    found = {
        name.removeprefix("debit_"): texts[0].strip() for name, texts in parse_qs(text).items()
    }
    return {name: found.get(name, "") for name in (*_FILLED, "iban")}


def payer_of(fields: dict[str, str]) -> Payer:
    """Return the payer; refuse a form that is filled in wrongly."""
    rules = _DEBIT_RULES if fields["iban"] else _CARD_RULES
    for name, (pattern, message) in rules.items():
        if not re.fullmatch(pattern, fields[name]):
            raise StripeError(400, message, param=name)
    return Payer(fields["email"], fields["name"] or None)


def empty(bill: Bill, *, email: str | None) -> Answer:
    return form(200, bill, {**_FILLED, "email": email or "", "iban": ""})


def form(status: int, bill: Bill, fields: dict[str, str], *, problem: str = "") -> Answer:
    """Return the page with the form, as it was typed."""
    filling = {name: escape(value) for name, value in fields.items()}
    filling |= {"action": escape(bill.action), "total": escape(bill.total)}
    filling["open"] = " open" if fields["iban"] else ""
    accounts = "".join(_row(account.iban, account.does) for account in BANK_ACCOUNTS.values())
    filling["iban"] = filling["iban"] or CLEARS
    content = filled(
        "form.html",
        **filling,
        back=f'<a class="back" href="{escape(bill.back)}">Back</a>' if bill.back else "",
        cards="".join(_row(card.number, card.does) for card in LISTED.values()),
        debit=filled("debit.html", **filling, accounts=accounts) if bill.takes_debits else "",
        note=f"<p>{escape(bill.note)}</p>" if bill.note else "",
        problem=f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else "",
        seller=escape(bill.seller),
    )
    return page(status, f"Pay {bill.total}", content)


def _row(number: str, does: str) -> str:
    groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return f"<li><code>{groups}</code> {escape(does)}</li>"
