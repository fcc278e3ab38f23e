"""Customers: whoever gives again and again."""

from sandbox import blank
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.charges import Payer
from sandbox.lists import PAGING, page
from sandbox.scope import Scope


def make(scope: Scope, payer: Payer) -> Resource:
    customer = scope.new(
        "customer",
        email=payer.email,
        invoice_prefix=blank.random_text(8).upper(),
        name=payer.name,
    )
    scope.save(customer)
    scope.emit("customer.created", customer)
    return customer


def next_invoice_number(scope: Scope, customer: Resource) -> str:
    """Return the number of the customer's next invoice, and count it."""
    sequence = customer["next_invoice_sequence"]
    scope.save({**customer, "next_invoice_sequence": sequence + 1})
    return f"{customer['invoice_prefix']}-{sequence:04d}"


@answers("get", "/v1/customers/{customer}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("customer", call.values["customer"])


@answers("get", "/v1/customers", f"{PAGING} email")
def list_customers(call: Call) -> Resource:
    return page(call, "customer", fields="email")
