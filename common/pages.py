"""What pages answer with."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

Arguments = ParamSpec("Arguments")
Page = Callable[Arguments, HttpResponse]


def see_other(to: Any, *args: Any) -> HttpResponse:
    """Send a browser that posted a form to a page (RFC 9110 §15.4.4); `to` is as in `redirect`."""
    response = redirect(to, *args)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def private(page: Page[Arguments]) -> Page[Arguments]:
    """Let no cache keep a page, no search engine list it, and no address tell of it."""

    @wraps(page)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        response = page(*args, **kwargs)
        # Without any referrer, browsers post forms from nowhere, and those are refused.
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return never_cache(guarded)
