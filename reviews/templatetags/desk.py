"""What waits for whoever looks, and what fails, on the first page of the staff."""

from typing import Any

from django.template import Context, Library

from reviews.admin.lists import troubled
from reviews.admin.queue import QUEUE_MAX, in_tab, rows_of, tally
from reviews.models import Case

register = Library()
SHOWN_MAX = 10


@register.inclusion_tag("admin/reviews/case/_waiting.html", takes_context=True)
def waiting_for_me(context: Context) -> dict[str, Any]:
    """Return the most urgent cases of a person, and how many there are of each kind."""
    user = context["request"].user
    if not user.has_perm("reviews.view_case"):
        return {"may_view": False}
    waiting = in_tab(Case.objects.all(), "mine", user)
    kinds = tally(waiting)
    shown = waiting.most_urgent_first().select_related("organisation", "assigned_to")
    return {
        "may_view": True,
        "rows": rows_of(shown[:SHOWN_MAX]),
        "kinds": [(kind, Case.Kind(kind).label, kinds[kind]) for kind in sorted(kinds)],
        "total": sum(kinds.values()),
        "queue_max": QUEUE_MAX,
    }


@register.inclusion_tag("admin/reviews/sanctionlist/_troubled.html", takes_context=True)
def troubled_lists(context: Context) -> dict[str, Any]:
    """Return the lists of sanctions that fail, for whoever may see lists."""
    may_view = context["request"].user.has_perm("reviews.view_sanctionlist")
    return {"lists": troubled() if may_view else []}
