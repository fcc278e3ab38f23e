"""What the page of a case shows: each app adds what it knows of the things it keeps."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from organisations.models import User
from reviews.models import Case

WITHHELD = "reviews/panels/withheld.html"


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One part of the page: a template with what it needs, under a title.

    Where it shows persons, it names the `permission` that whoever looks must have.
    """

    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    permission: str = ""


Maker = Callable[[Case], Iterable[Panel]]
makers: list[tuple[frozenset[str], Maker]] = []


def register(kinds: Iterable[str], maker: Maker) -> None:
    """Have a maker asked for panels of cases of some kinds, from its app's `ready()`."""
    makers.append((frozenset(kinds), maker))


def panels_of(case: Case, user: User) -> list[Panel]:
    """
    Return what is known of a case's subject, as apps were registered: the lowest first.

    Of what a person may not see there is the title alone.
    """
    made = [panel for kinds, maker in makers if case.kind in kinds for panel in maker(case)]
    return [panel if _may_see(panel, user) else Panel(panel.title, WITHHELD) for panel in made]


def _may_see(panel: Panel, user: User) -> bool:
    return not panel.permission or user.has_perm(panel.permission)
