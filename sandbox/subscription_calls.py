"""The calls of subscriptions: read, change, pause, end."""

from copy import deepcopy
from typing import Any

from sandbox import prices
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid, missing, not_simulated
from sandbox.lists import PAGING, Filter, page_of
from sandbox.subscriptions import ENDED, change, end, item_of

_PATH = "/v1/subscriptions/{subscription_exposed_id}"
_GROUPS = {"ended": ENDED}


def _load(call: Call) -> Resource:
    return call.scope.load("subscription", call.values["subscription_exposed_id"])


@answers("get", _PATH)
def retrieve(call: Call) -> Resource:
    return _load(call)


@answers("get", "/v1/subscriptions", f"{PAGING} customer price status")
def list_subscriptions(call: Call) -> Resource:
    wanted = Filter()
    if "customer" in call.parameters:
        wanted.add("json_extract(body, '$.customer') = ?", call.get("customer"))
    if "price" in call.parameters:
        wanted.add("json_extract(body, '$.items.data[0].price.id') = ?", call.get("price"))
    status = call.get("status")
    if status is None:
        wanted.add("json_extract(body, '$.status') <> 'canceled'")
    elif status != "all":
        words = _GROUPS.get(status, (status,))
        wanted.add(f"json_extract(body, '$.status') IN ({', '.join('?' * len(words))})", *words)
    return page_of(call, "subscription", wanted)


@answers(
    "post",
    _PATH,
    "cancel_at_period_end cancellation_details description items metadata pause_collection"
    " payment_behavior payment_settings proration_behavior",
)
def update(call: Call) -> Resource:
    subscription = _load(call)
    if subscription["status"] in ENDED and call.parameters.keys() - {"metadata", "expand"}:
        message = "A canceled subscription can only update its metadata."
        raise invalid(message, param="subscription")
    fields: dict[str, Any] = {"metadata": call.metadata(subscription)}
    if "description" in call.parameters:
        fields["description"] = call.get("description") or None
    if "pause_collection" in call.parameters:
        fields["pause_collection"] = _pause(call)
    if "payment_settings" in call.parameters:
        fields["payment_settings"] = subscription["payment_settings"] | call.get("payment_settings")
    if "cancel_at_period_end" in call.parameters:
        fields |= _leaving(call, subscription)
    if "items" in call.parameters:
        fields["items"] = _items(call, subscription)
    return change(call.scope, subscription, **fields)


def _pause(call: Call) -> Resource | None:
    """Return how collection is paused; an empty text ends the pause."""
    pause = call.get("pause_collection")
    return {"resumes_at": None, **pause} if pause else None


def _leaving(call: Call, subscription: Resource) -> dict[str, Any]:
    """Return what is noted when a subscription is to end with its period, or to go on after all."""
    is_leaving = call.get("cancel_at_period_end")
    details = dict(subscription["cancellation_details"])
    details |= call.get("cancellation_details", {})
    return {
        "cancel_at_period_end": is_leaving,
        "cancel_at": item_of(subscription)["current_period_end"] if is_leaving else None,
        "canceled_at": call.scope.now() if is_leaving else None,
        "cancellation_details": {
            **details,
            "reason": "cancellation_requested" if is_leaving else None,
        },
    }


def _items(call: Call, subscription: Resource) -> Resource:
    """Return the items with another price: the next period costs it, nothing is prorated."""
    if call.get("proration_behavior") != "none":
        raise not_simulated("a change of price with another proration_behavior than none")
    [sent, *more] = call.get("items")
    items: Resource = deepcopy(subscription["items"])
    item = items["data"][0]
    if more or "id" not in sent or sent.keys() - {"id", "price_data", "quantity"}:
        raise not_simulated("more of items than items[0][id] and items[0][price_data]")
    if sent["id"] != item["id"]:
        raise missing("subscription_item", sent["id"], param="items[0][id]", status=400)
    if sent.get("quantity", 1) != 1:
        raise not_simulated("a quantity of more than one")
    if "price_data" in sent:
        item["price"] = _new_price(call, item["price"], sent["price_data"])
        item["plan"] = prices.plan_of(item["price"])
    return items


def _new_price(call: Call, price: Resource, described: dict[str, Any]) -> Resource:
    where = "items[0][price_data]"
    product = call.scope.load(
        "product", described["product"], param=f"{where}[product]", status=400
    )
    if "unit_amount" not in described:
        raise not_simulated(f"{where} without unit_amount")
    made = prices.price(call.scope, described, product=product["id"], where=where)
    if made["currency"] != price["currency"]:
        message = "The price's currency must be the subscription's."
        raise invalid(message, param=f"{where}[currency]")
    if made["recurring"] != price["recurring"]:
        raise not_simulated(f"a change of {where}[recurring]")
    return made


@answers("delete", _PATH, "cancellation_details")
def cancel(call: Call) -> Resource:
    details = call.get("cancellation_details", {})
    return end(call.scope, _load(call), reason="cancellation_requested", **details)
