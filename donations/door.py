"""
The door before the form: while an organisation challenges everybody, programs get no further.

Whoever shows no solved puzzle is answered before a session, a query or a template: thousands who
try out cards cost the others, who share the process, next to nothing. What is known here lasts for
a second; so some of every second's tries go the whole way, and are counted.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html_join

from donations.errors import GiftChallenged
from reviews.puzzles import VALID_SECONDS, ZERO_BITS, new_puzzle, solved

TEMPLATE = "donations/challenge.html"
KNOWN_SECONDS = 1.0
FORM = re.compile(r"/o/(?P<slug>[a-z0-9-]+)/donate")
# What stands in the page for what is another with every answer.
PUZZLE, FIELDS = "the-puzzle-of-this-answer", "the-fields-of-this-answer"
# What the page of a challenge writes into its form itself.
OWN_FIELDS = {"puzzle", "solution"}


class Page(NamedTuple):
    """The page that challenges everybody at one organisation, and until when it is shown here."""

    until: float
    text: str


shown: dict[str, Page] = {}
# Solved puzzles that were shown at this door, and until when they could be shown again.
spent: dict[str, float] = {}
lock = threading.Lock()


def challenge_at_the_door(slug: str, context: dict[str, object]) -> None:
    """Answer everybody so for a second; `context` is what the page knows of the organisation."""
    now = time.monotonic()
    with lock:
        for name in [name for name, page in shown.items() if page.until <= now]:
            del shown[name]
        if slug in shown:
            return
        text = render_to_string(TEMPLATE, _with_form(context, PUZZLE, FIELDS))
        shown[slug] = Page(now + KNOWN_SECONDS, text)


def challenge(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    """Return the page of a challenge, with what was typed in its form."""
    context = _with_form(context, new_puzzle(), _typed(request))
    return _answer(render_to_string(TEMPLATE, context, request))


def answered_at_the_door(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer those who cannot give for now, before anything is done for them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        page = _page_for(request)
        if page is None or _has_done_the_work(request):
            return get_response(request)
        return _answer(page.text.replace(PUZZLE, new_puzzle()).replace(FIELDS, _typed(request)))

    return middleware


def _page_for(request: HttpRequest) -> Page | None:
    form = FORM.fullmatch(request.path_info) if request.method == "POST" and shown else None
    page = shown.get(form["slug"]) if form else None
    return page if page and page.until > time.monotonic() else None


def _has_done_the_work(request: HttpRequest) -> bool:
    """Tell whether a puzzle was solved for this form: each lets through once."""
    name = solved(request.POST.get("puzzle", ""), request.POST.get("solution", ""))
    now = time.monotonic()
    with lock:
        if not name or name in spent:
            return False
        for each in [each for each, until in spent.items() if until <= now]:
            del spent[each]
        spent[name] = now + VALID_SECONDS
    return True


def _with_form(context: dict[str, object], puzzle: str, fields: str) -> dict[str, object]:
    return {**context, "puzzle": puzzle, "bits": ZERO_BITS, "fields": fields}


def _typed(request: HttpRequest) -> str:
    """Return what was typed as hidden fields: the form is sent again with the solution."""
    fields = ((name, request.POST[name]) for name in request.POST if name not in OWN_FIELDS)
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)


def _answer(text: str) -> HttpResponse:
    response = HttpResponse(text, status=GiftChallenged.status)
    response["Cache-Control"] = "no-store"
    return response
