"""Invoices: drafted for a period, finalised, then paid, voided or given up."""

from sandbox import customers, money, payments, periods
from sandbox.blank import Resource
from sandbox.scope import Scope
from sandbox.subscriptions import item_of

CREATION, RENEWAL = "subscription_create", "subscription_cycle"

_DESCRIPTIONS = {CREATION: "Subscription creation", RENEWAL: "Subscription update"}


def draft(scope: Scope, subscription: Resource, *, reason: str) -> Resource:
    """Make the invoice for the subscription's present period."""
    account = scope.load("account", scope.account)
    customer = scope.load("customer", subscription["customer"])
    item = item_of(subscription)
    amount = item["price"]["unit_amount"]
    invoice = scope.new(
        "invoice",
        account_country=account["country"],
        account_name=account["business_profile"]["name"],
        application=scope.application,
        billing_reason=reason,
        currency=subscription["currency"],
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        **dict.fromkeys(_SUMS, amount),
    )
    # An invoice's own dates are of the period that it closes: the first one closes none.
    begun = invoice["created"] if reason == CREATION else _period_before(scope, subscription)
    ended = invoice["created"] if reason == CREATION else item["current_period_start"]
    invoice.update(period_start=begun, period_end=ended, webhooks_delivered_at=invoice["created"])
    invoice["parent"]["subscription_details"] = {
        "metadata": subscription["metadata"],
        "subscription": subscription["id"],
    }
    line = _line(scope, subscription, invoice)
    invoice["lines"].update(data=[line], url=f"/v1/invoices/{invoice['id']}/lines")
    scope.save(invoice)
    scope.emit("invoice.created", invoice)
    return invoice


_SUMS = (
    "amount_due", "amount_remaining", "subtotal", "subtotal_excluding_tax", "total",
    "total_excluding_tax",
)  # fmt: skip


def _period_before(scope: Scope, subscription: Resource) -> int:
    """Return when the period began that the last invoice was for."""
    last = scope.load("invoice", subscription["latest_invoice"])
    return int(last["lines"]["data"][0]["period"]["start"])


def _line(scope: Scope, subscription: Resource, invoice: Resource) -> Resource:
    item = item_of(subscription)
    price = item["price"]
    name = scope.load("product", price["product"])["name"]
    times = "\N{MULTIPLICATION SIGN}"
    each = money.written(price["unit_amount"], price["currency"])
    line = scope.new(
        "line_item",
        amount=price["unit_amount"],
        currency=price["currency"],
        description=f"1 {times} {name} ({each} {periods.rhythm(price['recurring'])})",
        invoice=invoice["id"],
        metadata=subscription["metadata"],
        period={"start": item["current_period_start"], "end": item["current_period_end"]},
        subtotal=price["unit_amount"],
    )
    del line["created"]
    line["parent"]["subscription_item_details"].update(
        subscription=subscription["id"], subscription_item=item["id"]
    )
    line["pricing"].update(
        price_details={"price": price["id"], "product": price["product"]},
        unit_amount_decimal=price["unit_amount_decimal"],
    )
    return line


def finalise(scope: Scope, invoice: Resource, intent: Resource | None = None) -> Resource:
    """Number a draft, give it its page, and a PaymentIntent to be paid by."""
    customer = scope.load("customer", invoice["customer"])
    moment = scope.now()
    invoice.update(
        effective_at=moment,
        ending_balance=0,
        hosted_invoice_url=f"{scope.base_url}/invoice/{invoice['id']}",
        number=customers.next_invoice_number(scope, customer),
        status="open",
    )
    invoice["status_transitions"]["finalized_at"] = moment
    scope.save(invoice)
    scope.emit("invoice.finalized", invoice)
    intent = intent or promise(
        scope, customer, amount=invoice["amount_due"], currency=invoice["currency"], reason=RENEWAL
    )
    payment = scope.new(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
    )
    scope.save(payment)
    return invoice


def promise(
    scope: Scope, customer: Resource, *, amount: int, currency: str, reason: str
) -> Resource:
    """Make the PaymentIntent of an invoice: it carries no metadata, and names no invoice."""
    return payments.promise(
        scope,
        amount=amount,
        currency=currency,
        customer=customer["id"],
        description=_DESCRIPTIONS[reason],
        receipt_email=customer["email"],
        setup_future_usage="off_session",
    )


def payment_of(scope: Scope, invoice: Resource) -> Resource:
    """Return the payment that ties an invoice to its PaymentIntent."""
    [payment] = scope.store.related(scope.account, "invoice_payment", "invoice", invoice["id"])
    return payment


def intent_of(scope: Scope, invoice: Resource) -> Resource:
    return scope.load("payment_intent", payment_of(scope, invoice)["payment"]["payment_intent"])


def set_paid(scope: Scope, invoice: Resource) -> Resource:
    """Note that an invoice's PaymentIntent succeeded, and tell it as Stripe does, three times."""
    amount, moment = invoice["amount_due"], scope.now()
    payment = payment_of(scope, invoice)
    payment.update(amount_paid=amount, status="paid")
    payment["status_transitions"]["paid_at"] = moment
    invoice.update(
        amount_paid=amount,
        amount_remaining=0,
        attempt_count=max(1, invoice["attempt_count"]),
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
    )
    invoice["status_transitions"]["paid_at"] = moment
    scope.save(invoice)
    scope.save(payment)
    scope.emit("invoice.paid", invoice)
    scope.emit("invoice_payment.paid", payment)
    scope.emit("invoice.payment_succeeded", invoice)
    return invoice
