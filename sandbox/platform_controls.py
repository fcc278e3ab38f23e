"""What a platform may decide for an account: by its controller, and which payouts it has."""

from typing import Any

from sandbox.blank import Resource
from sandbox.errors import StripeError, invalid, not_simulated

_OF_TYPES = {
    "express": ("application_express", "stripe", "express"),
    "custom": ("application_custom", "application", "none"),
}
# The day that a rhythm of payouts needs.
_ANCHORS = {"monthly": "monthly_anchor", "weekly": "weekly_anchor"}


def controller_of(parameters: dict[str, Any]) -> Resource:
    """Return what the parameters of a new account say of its controller, by name or by type."""
    if parameters.get("type") in _OF_TYPES:
        payer, collector, dashboard = _OF_TYPES[parameters["type"]]
        return {
            "fees": {"payer": payer},
            "losses": {"payments": "application"},
            "requirement_collection": collector,
            "stripe_dashboard": {"type": dashboard},
        }
    asked: Resource = parameters.get("controller", {})
    if _is_liable(asked) and asked.get("fees") != {"payer": "application"}:
        message = "A platform that pays for losses pays the fees too."
        raise invalid(message, param="controller[fees][payer]")
    return asked


def _is_liable(controller: Resource) -> bool:
    return bool(controller.get("losses") == {"payments": "application"})


def pays_fees(account: Resource) -> bool:
    """Tell whether Stripe's fees come off the account's balance, not off its platform's."""
    return bool(account["controller"]["fees"]["payer"] != "application")


def has_automatic_payouts(account: Resource) -> bool:
    return bool(account["settings"]["payouts"]["schedule"]["interval"] != "manual")


def set_payouts(account: Resource, asked: Resource) -> None:
    """Set how often an account is paid out; only who bears its losses may."""
    if not _is_liable(account["controller"]):
        message = (
            "This application does not have the permission to set `settings[payouts]` of account"
            f" '{account['id']}': only its owner does."
        )
        raise StripeError(403, message, code="oauth_not_supported", param="settings[payouts]")
    if asked.keys() != {"schedule"}:
        raise not_simulated("a setting of payouts other than settings[payouts][schedule]")
    schedule = account["settings"]["payouts"]["schedule"]
    account["settings"]["payouts"]["schedule"] = _schedule(asked["schedule"], schedule)


def _schedule(asked: Resource, present: Resource) -> Resource:
    where = "settings[payouts][schedule]"
    for name in sorted(asked.keys() - {"interval", *_ANCHORS.values()}):
        raise not_simulated(f"{where}[{name}]")
    interval = asked.get("interval", present["interval"])
    needed = {_ANCHORS[interval]} if interval in _ANCHORS else set()
    for name in sorted(needed ^ (asked.keys() - {"interval"})):
        message = f"`{name}` is needed for its own interval, and for no other."
        raise invalid(message, param=f"{where}[{name}]")
    return {"delay_days": present["delay_days"], **asked, "interval": interval}
