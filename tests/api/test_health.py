"""What load balancers ask."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from config import health
from tests.factories import WorkerFactory


@pytest.fixture(autouse=True)
def forget_migrations():
    """Look at the migrations anew."""
    health._check_migrations.cache_clear()


def test_health_asks_no_database(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["Cache-Control"] == "no-store"


def test_all_in_order_is_ready(client, db):
    WorkerFactory(seen_at=timezone.now() - timedelta(seconds=20))

    response = client.get("/ready")

    assert response.status_code == 200
    assert response.json() == {"database": "ok", "migrations": "ok", "worker": "ok"}


def test_without_a_worker_it_is_not_ready(client, db):
    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json() == {"database": "ok", "migrations": "ok", "worker": "missing"}


def test_a_worker_that_is_silent_is_not_ready(client, db):
    WorkerFactory(seen_at=timezone.now() - timedelta(seconds=31))

    assert client.get("/ready").json()["worker"] == "silent"


def test_the_liveliest_worker_counts(client, db):
    WorkerFactory(seen_at=timezone.now() - timedelta(hours=1))
    WorkerFactory(seen_at=timezone.now())

    assert client.get("/ready").status_code == 200


def test_a_database_older_than_the_program_is_not_ready(client, db, monkeypatch):
    WorkerFactory(seen_at=timezone.now())
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one"])

    missing = client.get("/ready")
    monkeypatch.undo()
    later = client.get("/ready")

    assert missing.status_code == 503
    assert missing.json()["migrations"] == "missing"
    assert later.status_code == 200


def test_an_unreachable_database_is_told_and_no_more(client, db, monkeypatch):
    def gone(*_):
        raise OperationalError("password of almoner is wrong")

    monkeypatch.setattr(health.connection, "cursor", gone)
    response = client.get("/ready")
    monkeypatch.undo()

    assert response.status_code == 503
    assert response.json()["database"] == "unreachable"
    assert "password" not in response.content.decode()


def test_a_table_that_cannot_be_read_is_not_ready(client, db, monkeypatch):
    def broken():
        raise DatabaseError("secret")

    monkeypatch.setattr(health, "worker_seen_at", broken)

    assert client.get("/ready").json()["worker"] == "unknown"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_they_only_answer_questions(client, db, path):
    assert client.post(path).status_code == 405
