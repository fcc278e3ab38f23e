"""The side of the members' console: where to go, as far as one's role may go there."""

from typing import Any, NamedTuple

from django.template import Context, Library
from django.urls import resolve, reverse

from organisations.access import ROLES
from organisations.models import Membership

register = Library()
OVERVIEW = "console"
PAGES = {
    OVERVIEW: "Overview",
    "gifts": "Gifts",
    "giving": "Giving",
    "console-payouts": "Payouts",
    "credits": "Credits",
    "webhook-endpoints": "Webhooks",
    "members": "Members",
}
PUBLIC, APPLICANT = {"stripe-account": "Stripe account"}, {"application": "Application"}


class Link(NamedTuple):
    """A page of the console, and whether the visitor is on it or below it."""

    url: str
    words: str
    is_here: bool


@register.inclusion_tag("organisations/_console_nav.html", takes_context=True)
def console_nav(context: Context) -> dict[str, Any]:
    """Return the pages of an organisation's console that the visitor may open."""
    organisation, request = context["organisation"], context["request"]
    own = Membership.objects.filter(organisation=organisation, user=request.user)
    role = own.values_list("role", flat=True).get()
    links = []
    for name, words in (PAGES | (PUBLIC if organisation.is_public else APPLICANT)).items():
        url = reverse(name, args=[organisation.slug])
        page: Any = resolve(url).func
        if role in ROLES[page.right]:
            is_below = name != OVERVIEW and request.path.startswith(f"{url}/")
            links.append(Link(url, words, request.path == url or is_below))
    return {"organisation": organisation, "links": links}
