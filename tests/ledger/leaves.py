"""Leaves of the heads log without the books that signed them, so that there are many at once."""

import base64
from hashlib import sha256

from django.db import connection

from ledger.models import HeadsLeaf
from ledger.services.heads import OPEN, RESTORE


def fill(count: int) -> None:
    """Go on with the heads of a book that is elsewhere, as those that a mirror brought back."""
    first = HeadsLeaf.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
        cursor.executemany(
            RESTORE, [(number, _body(number)) for number in range(first, first + count)]
        )


def _body(number: int) -> str:
    root = base64.b64encode(sha256(b"%d" % number).digest()).decode()
    return f"ledger.example/log/org_elsewhere\n{number + 1}\n{root}\n"
