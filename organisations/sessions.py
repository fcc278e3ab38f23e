"""Sessions end when they are not used, and live on while they are; the staff's end sooner."""

import time
from collections.abc import Callable

from django.conf import settings
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
        idle = idle_seconds(request)
        is_old = session.get(SEEN_AT, 0) <= now - WRITTEN_EVERY_SECONDS
        # Signing in sets the end that all sessions have: then the staff's is set at once.
        if is_old or session.get_expiry_age() > idle:
            session[SEEN_AT] = now
            session.set_expiry(idle)
        return response

    return middleware


def idle_seconds(request: HttpRequest) -> int:
    """Return after how many seconds without a page a visitor's session ends."""
    user = request.user
    is_staff = user.is_authenticated and user.is_staff
    limits = [settings.SESSION_COOKIE_AGE] + [settings.STAFF_SESSION_AGE] * is_staff
    return int(min(limits))
