"""Early fraud warnings: the card's bank says that a gift will probably be disputed."""

from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.expansion import shown
from sandbox.lists import PAGING, page
from sandbox.scope import Scope

KIND = "radar.early_fraud_warning"


def warn(scope: Scope, charge: Resource) -> Resource:
    """Warn of a settled charge, once; no money moves."""
    is_known = scope.store.related(scope.account, KIND, "charge", charge["id"])
    if is_known or not charge["balance_transaction"]:
        raise invalid(f"Charge {charge['id']} cannot be warned of.", param="charge")
    warning = scope.new(KIND, charge=charge["id"], payment_intent=charge["payment_intent"])
    scope.save(warning)
    scope.emit(f"{KIND}.created", warning)
    return warning


@shown(KIND)
def as_of_now(scope: Scope, warning: Resource) -> Resource:
    """Return the warning: nothing can be done about a gift that was given back or is disputed."""
    charge = scope.load("charge", warning["charge"])
    return {**warning, "actionable": not (charge["refunded"] or charge["disputed"])}


@answers("get", "/v1/radar/early_fraud_warnings/{early_fraud_warning}")
def retrieve(call: Call) -> Resource:
    warning = call.scope.load(KIND, call.values["early_fraud_warning"])
    return as_of_now(call.scope, warning)


@answers("get", "/v1/radar/early_fraud_warnings", f"{PAGING} charge payment_intent")
def list_warnings(call: Call) -> Resource:
    return page(call, KIND, fields="charge payment_intent", shown=as_of_now)
