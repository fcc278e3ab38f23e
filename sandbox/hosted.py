"""Which page is whose, and the hosted payment form."""

from sandbox import card_form, checkout, hosted_payment
from sandbox.blank import Resource
from sandbox.board import Board
from sandbox.card_form import Bill
from sandbox.charges import Payer
from sandbox.errors import CardDeclined, StripeError
from sandbox.hosted_invoice import HostedInvoice
from sandbox.messages import Answer, Request, as_style, redirect
from sandbox.paper import sentence_page, text_of
from sandbox.periods import rhythm
from sandbox.scope import Scope, ScopeOf
from sandbox.store import Store

_CLOSED = {
    "complete": "This page has done its work: it was paid already.",
    "expired": "This page has expired. Nothing was charged.",
}


class Hosted:
    """Answers browsers."""

    def __init__(self, store: Store, scope_of: ScopeOf, board: Board) -> None:
        self._board = board
        self._store = store
        self._scope_of = scope_of
        self._invoices = HostedInvoice(store, scope_of)

    def answer(self, request: Request) -> Answer:
        """Return the page at a path, or say that there is none."""
        try:
            if request.path == "/" or request.path.startswith("/accounts/"):
                return self._board.answer(request)
            if request.path == "/style.css":
                return as_style(text_of("style.css"))
            if request.path.startswith("/pay/"):
                return self._pay(request, request.path.removeprefix("/pay/"))
            if request.path.startswith("/invoice/"):
                return self._invoices.answer(request, request.path.removeprefix("/invoice/"))
            raise StripeError(404, "There is no such page.")
        except StripeError as error:
            return sentence_page(error.status, str(error))

    def _pay(self, request: Request, identifier: str) -> Answer:
        if request.verb == "POST":
            return self._submit(request, identifier)
        with self._store.transaction():
            scope, session = self._find(identifier)
            status = hosted_payment.status_now(scope, session)
            bill = _bill(scope, session)
        if status != "open":
            return sentence_page(200, _CLOSED[status])
        return card_form.empty(bill, email=session["customer_email"])

    def _submit(self, request: Request, identifier: str) -> Answer:
        fields = card_form.typed(request)
        with self._store.transaction():
            scope, session = self._find(identifier)
            bill = _bill(scope, session)
            if hosted_payment.status_now(scope, session) != "open":
                return sentence_page(409, _CLOSED[session["status"]])
        try:
            payer = card_form.payer_of(fields)
            with self._store.transaction(keep=CardDeclined):
                _pay(*self._find(identifier), fields, payer)
        except StripeError as error:
            return card_form.form(error.status, bill, fields, problem=str(error))
        return redirect(_success_url(session))

    def _find(self, identifier: str) -> tuple[Scope, Resource]:
        found = self._store.find(identifier)
        if not found or found[1]["object"] != checkout.KIND:
            raise StripeError(404, "There is no such payment page.")
        return self._scope_of(found[0]), found[1]


def _pay(scope: Scope, session: Resource, fields: dict[str, str], payer: Payer) -> None:
    if fields["iban"]:
        hosted_payment.pay_by_debit(scope, session, fields["iban"], payer)
    else:
        hosted_payment.pay(scope, session, fields["card_number"], payer)


def _bill(scope: Scope, session: Resource) -> Bill:
    [line, *_] = hosted_payment.lines_of(scope, session)
    return Bill(
        f"/pay/{session['id']}",
        card_form.seller_of(scope),
        session["amount_total"],
        session["currency"],
        rhythm(line["price"]["recurring"]) if line["price"] else "",
        session["cancel_url"],
        takes_debits="sepa_debit" in session["payment_method_types"],
        is_authorised_only=hosted_payment.is_authorised_only(scope, session),
    )


def _success_url(session: Resource) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])
