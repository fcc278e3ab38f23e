"""Asking applicants' websites whether they are there: by the worker, once for each case."""

import time

from django.db.models import Exists, OuterRef

from reviews.models import Case, Screening
from reviews.rules.websites import WEBSITE
from reviews.services.checking import as_kept, keep_results


def look_at_websites() -> None:
    """Ask for every application that waits, and keep what came; never within a transaction."""
    seen = Screening.objects.filter(
        subject=OuterRef("pk"), results__contains=[{"rule": WEBSITE.name}]
    )
    waiting = Case.objects.open().filter(~Exists(seen), kind=Case.Kind.APPLICATION)
    for case in waiting.exclude(organisation=None).select_related("organisation"):
        assert case.organisation is not None
        started = time.perf_counter_ns()
        found = as_kept(WEBSITE, WEBSITE.look(case.organisation), started)
        keep_results(case=case, organisation=case.organisation, results=[found])
