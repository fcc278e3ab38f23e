"""Whether a worker is alive."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import WorkerFactory
from webhooks.models import Worker
from webhooks.services.heartbeat import say_alive, worker_seen_at

pytestmark = pytest.mark.django_db
EVERY = timedelta(seconds=5)


def test_a_worker_says_that_it_lives():
    assert worker_seen_at() is None

    say_alive("here:1", every=EVERY)

    worker = Worker.objects.get()
    assert str(worker) == "here:1"
    assert worker_seen_at() == worker.seen_at
    assert timezone.now() - worker.seen_at < EVERY


def test_it_says_so_again_only_after_a_while(django_assert_num_queries):
    say_alive("here:1", every=EVERY)
    first = worker_seen_at()

    with django_assert_num_queries(1):
        say_alive("here:1", every=EVERY)
    assert worker_seen_at() == first

    Worker.objects.update(seen_at=first - EVERY)
    say_alive("here:1", every=EVERY)
    assert worker_seen_at() > first - EVERY
    assert Worker.objects.count() == 1


def test_the_liveliest_counts_and_the_long_gone_are_forgotten():
    now = timezone.now()
    for name, ago in [("gone", timedelta(days=2)), ("quiet", timedelta(hours=1))]:
        WorkerFactory(name=name, seen_at=now - ago)

    say_alive("here:1", every=EVERY)

    assert set(Worker.objects.values_list("name", flat=True)) == {"quiet", "here:1"}
    assert worker_seen_at() >= now
