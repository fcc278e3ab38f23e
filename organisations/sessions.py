"""Sessions end when they are not used, and live on while they are."""

import time
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

SEEN_AT = "seen_at"
WRITTEN_EVERY_SECONDS = 60


def renewed_by_use(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """
    Put off the end of a signed-in person's session with every page that asked who they are.

    Other answers set no cookie: they are the same for everybody, and caches keep them.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session, now = request.session, int(time.time())
        if not session.accessed or SESSION_KEY not in session:
            return response
        if session.get(SEEN_AT, 0) <= now - WRITTEN_EVERY_SECONDS:
            session[SEEN_AT] = now
        return response

    return middleware
