"""What pages answer with."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect


def see_other(to: Any, *args: Any) -> HttpResponse:
    """Send a browser that posted a form to a page (RFC 9110 §15.4.4); `to` is as in `redirect`."""
    response = redirect(to, *args)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
