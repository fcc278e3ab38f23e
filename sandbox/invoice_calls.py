"""The calls of invoices and of their payments: read and pay."""

from sandbox import charges, collection, invoices
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.cards import card_of_payment_method
from sandbox.charges import Payer
from sandbox.expansion import included
from sandbox.lists import PAGING, Filter, as_list, page_of
from sandbox.scope import Scope


@answers("get", "/v1/invoices/{invoice}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("invoice", call.values["invoice"])


@answers("get", "/v1/invoices", f"{PAGING} customer status subscription")
def list_invoices(call: Call) -> Resource:
    wanted = Filter()
    for name in {"customer", "status"} & call.parameters.keys():
        wanted.add(f"json_extract(body, '$.{name}') = ?", call.get(name))
    if "subscription" in call.parameters:
        wanted.add(
            "json_extract(body, '$.parent.subscription_details.subscription') = ?",
            call.get("subscription"),
        )
    return page_of(call, "invoice", wanted)


@answers("post", "/v1/invoices/{invoice}/pay", "off_session payment_method")
def pay(call: Call) -> Resource:
    """Try to collect now, by the card on file or by one of the ready-made payment methods."""
    invoice = call.scope.load("invoice", call.values["invoice"])
    payer = Payer(invoice["customer_email"], invoice["customer_name"])
    if "payment_method" in call.parameters:
        card = card_of_payment_method(call.get("payment_method"))
    else:
        identifier = collection.subscription_of(call.scope, invoice)["default_payment_method"]
        card = charges.card_on_file(call.scope, identifier)
        payer = Payer(payer.email, payer.name, identifier)
    return collection.pay(call.scope, invoice, card, payer)


@included("invoice", "payments")
def payments_of(scope: Scope, invoice: Resource) -> Resource:
    """Return the invoice's payments, which it shows when it is asked to."""
    found = scope.store.related(scope.account, "invoice_payment", "invoice", invoice["id"])
    return as_list(found, f"/v1/invoice_payments?invoice={invoice['id']}")


@included("invoice", "confirmation_secret")
def confirmation_secret(scope: Scope, invoice: Resource) -> Resource | None:
    """Return what a page needs to let the payer consent, once the invoice is finalised."""
    if not invoice["number"]:
        return None
    intent = invoices.intent_of(scope, invoice)
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


@answers("get", "/v1/invoice_payments/{invoice_payment}")
def retrieve_payment(call: Call) -> Resource:
    return call.scope.load("invoice_payment", call.values["invoice_payment"])


@answers("get", "/v1/invoice_payments", f"{PAGING} invoice payment status")
def list_payments(call: Call) -> Resource:
    wanted = Filter()
    for name in {"invoice", "status"} & call.parameters.keys():
        wanted.add(f"json_extract(body, '$.{name}') = ?", call.get(name))
    for name, value in call.get("payment", {}).items():
        wanted.add(f"json_extract(body, '$.payment.{name}') = ?", value)
    return page_of(call, "invoice_payment", wanted)
