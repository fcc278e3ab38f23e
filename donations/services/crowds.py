"""Crowds: of many who give to one organisation at once, a few are served; others have room."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from donations.errors import GiftChallenged
from organisations.models import Organisation

# Of the connections, and so of the threads, that a web process has: half is left to all others.
PLACES = max(settings.POOL["max_size"] // 2, 1)
here: Counter[str] = Counter()
door = threading.Lock()


@contextmanager
def place_among(organisation: Organisation) -> Iterator[None]:
    """
    Keep one of the places that this process has for those who give to an organisation.

    Whoever finds none is asked for a moment of their computer's work, and comes again by itself:
    nobody waits for a lock here, so nobody stands in the way of others. Raises `GiftChallenged`.
    """
    with door:
        if here[organisation.pk] >= PLACES:
            raise GiftChallenged
        here[organisation.pk] += 1
    try:
        yield
    finally:
        with door:
            here[organisation.pk] -= 1
            if not here[organisation.pk]:
                del here[organisation.pk]
