"""The page of an invoice that could not be collected: it is paid there with another card."""

from sandbox import card_form, collection, subscriptions
from sandbox.blank import Resource
from sandbox.card_form import Bill
from sandbox.cards import card_with_number
from sandbox.errors import CardDeclined, StripeError
from sandbox.messages import Answer, Request, redirect
from sandbox.paper import sentence_page
from sandbox.scope import Scope, ScopeOf
from sandbox.store import Store

_CLOSED = {
    "paid": "This invoice is paid. Thank you.",
    "draft": "This invoice is not finished yet.",
    "void": "This invoice is void: there is nothing to pay.",
    "uncollectible": "This invoice is not collected any more: there is nothing to pay.",
}


class HostedInvoice:
    """Answers browsers that come for an invoice."""

    def __init__(self, store: Store, scope_of: ScopeOf) -> None:
        self._store = store
        self._scope_of = scope_of

    def answer(self, request: Request, identifier: str) -> Answer:
        """Show the form, or pay with what was typed into it."""
        with self._store.transaction():
            scope, invoice = self._find(identifier)
            bill = _bill(scope, invoice)
        if invoice["status"] != "open":
            return sentence_page(200, _CLOSED[invoice["status"]])
        if request.verb != "POST":
            return card_form.empty(bill, email=invoice["customer_email"])
        fields = card_form.typed(request)
        try:
            with self._store.transaction(keep=CardDeclined):
                _pay(*self._find(identifier), fields)
        except StripeError as error:
            return card_form.form(error.status, bill, fields, problem=str(error))
        return redirect(bill.action)

    def _find(self, identifier: str) -> tuple[Scope, Resource]:
        found = self._store.find(identifier)
        if not found or found[1]["object"] != "invoice":
            raise StripeError(404, "There is no such invoice.")
        return self._scope_of(found[0]), found[1]


def _pay(scope: Scope, invoice: Resource, fields: dict[str, str]) -> None:
    """Pay, and put the card on file for the renewals to come."""
    payer = card_form.payer_of(fields)
    card = card_with_number(fields["card_number"])
    collection.pay(scope, invoice, card, payer, is_payer_there=True)
    subscription = collection.subscription_of(scope, invoice)
    if subscription["status"] not in subscriptions.ENDED:
        subscriptions.change_card(scope, subscription, card)


def _bill(scope: Scope, invoice: Resource) -> Bill:
    return Bill(
        f"/invoice/{invoice['id']}",
        card_form.seller_of(scope),
        invoice["amount_due"],
        invoice["currency"],
    )
