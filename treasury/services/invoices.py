"""Which invoice a charge pays: since charges do not say so, their payment is looked up."""

from typing import Any

from common.stripe_api import client, on_account
from donations.models import RecurringGift
from donations.services.subscriptions import InvoiceFacts, id_of, invoice_facts
from organisations.models import Organisation


def invoice_of(organisation: Organisation, source: dict[str, Any]) -> InvoiceFacts | None:
    """
    Return the invoice of a subscription that a charge pays, if it pays one.

    Stripe is asked only about charges that name no gift, and only where gifts repeat.
    """
    intent = source.get("payment_intent")
    names_a_gift = (source.get("metadata") or {}).get("donation_id")
    if source.get("object") != "charge" or not intent or names_a_gift:
        return None
    if not RecurringGift.objects.of(organisation).exists():
        return None
    v1, options = client().v1, on_account(str(organisation.stripe_account))
    payments = v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": id_of(intent)}}, options
    ).to_dict(for_json=True)["data"]
    if not payments:
        return None
    invoice = v1.invoices.retrieve(id_of(payments[0]["invoice"]), options=options)
    return invoice_facts(invoice.to_dict(for_json=True))
