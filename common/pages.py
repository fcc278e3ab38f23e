"""What pages are asked by, and answer with."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

Arguments = ParamSpec("Arguments")
Page = Callable[Arguments, HttpResponse]


def see_other(to: Any, *args: Any) -> HttpResponse:
    """Send a browser that posted a form to a page (RFC 9110 §15.4.4); `to` is as in `redirect`."""
    response = redirect(to, *args)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def client_address(request: HttpRequest) -> str:
    """
    Return the network address that a request came from, as far as our own proxies say it.

    Each of them adds the address that it was asked from to the end of X-Forwarded-For, so that
    `TRUSTED_PROXY_COUNT` from the end is the first that nobody outside has written. Without such
    an entry it is the address of who asked us.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    count = settings.TRUSTED_PROXY_COUNT
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if not 0 < count <= len(entries):
        return direct
    try:
        return str(ip_address(entries[-count].strip()))
    except ValueError:
        return direct


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
