"""What is over and serves nobody any more: sessions, and what web processes counted together."""

from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

OVER = "DELETE FROM organisations_cache WHERE expires < now()"


def forget_expired() -> None:
    """Delete sessions that ended and counters that ran out: nothing else takes them away."""
    SessionStore.clear_expired()
    with connection.cursor() as cursor:
        cursor.execute(OVER)
