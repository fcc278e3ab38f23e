"""What is sent to subscribers: signed, tried again, and never at the cost of others."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from organisations.models import Mail, Membership
from reviews.models import Case
from tests.database import running_server
from tests.factories import MembershipFactory
from tests.webhooks.subscribers import (
    endpoint_at,
    let_days_go_by,
    make_due,
    send_all,
    subscribing,
)
from webhooks.models import Attempt, Delivery, Endpoint, Message
from webhooks.services import outcomes, sending
from webhooks.services.outcomes import PAUSES, forget_old
from webhooks.services.sending import LEASE, PLACES_FOR_ONE, Sender
from webhooks.services.subscribing import (
    OLD_SECRET_SIGNS_FOR,
    delete_endpoint,
    disable_endpoint,
    rotate_secret,
)
from webhooks.services.telling import resend, send_test
from webhooks.tasks import forget_deliveries

pytestmark = pytest.mark.django_db
DUE, DELIVERED, GIVEN_UP = Delivery.Status.DUE, Delivery.Status.DELIVERED, Delivery.Status.GIVEN_UP


@pytest.fixture(autouse=True)
def here(settings):
    """Let messages go to this machine."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def subscriber():
    """An integrator's server."""
    with subscribing() as server:
        yield server


@pytest.fixture
def added(subscriber, organisation):
    """Its endpoint, with the secret."""
    return endpoint_at(subscriber.url, organisation)


def only_delivery():
    return Delivery.objects.select_related("endpoint", "message").get()


def test_a_message_is_signed_as_the_specification_says(subscriber, added):
    delivery = send_test(endpoint=added.endpoint)

    send_all()

    [told] = subscriber.verified(added.secret)
    [(headers, body)] = subscriber.received
    assert told["type"] == "webhook.test"
    assert told["data"] == {"endpoint": added.endpoint.id}
    assert headers["webhook-id"] == delivery.message_id
    assert headers["content-type"] == "application/json"
    assert body.decode() == delivery.message.body
    assert only_delivery().status == DELIVERED


@pytest.mark.parametrize("field", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_whatever_is_changed_on_the_way_is_found(subscriber, added, field):
    send_test(endpoint=added.endpoint)
    send_all()
    [(headers, body)] = subscriber.received
    Webhook(added.secret).verify(body, headers)

    headers[field] = {
        "webhook-id": "msg_other",
        "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1),
        "webhook-signature": "v1," + "A" * 43 + "=",
    }.get(field, "")
    body = body.replace(b"webhook.test", b"webhook.tost") if field == "body" else body

    with pytest.raises(WebhookVerificationError):
        Webhook(added.secret).verify(body, headers)


def test_a_replaced_secret_signs_for_a_day_more_and_then_no_longer(subscriber, added):
    new = rotate_secret(endpoint=added.endpoint)
    newest = rotate_secret(endpoint=added.endpoint)
    send_test(endpoint=added.endpoint)
    send_all()
    subscriber.verified(added.secret, new.secret, newest.secret)

    added.endpoint.secrets.exclude(expires_at=None).update(expires_at=timezone.now())
    subscriber.received.clear()
    send_test(endpoint=added.endpoint)
    send_all()

    subscriber.verified(newest.secret)
    [(headers, _)] = subscriber.received
    assert len(headers["webhook-signature"].split(" ")) == 1


def test_secrets_are_encrypted_and_those_that_ended_are_deleted(added):
    secret = added.endpoint.secrets.get()
    assert added.secret.encode() not in bytes(secret.encrypted)

    rotate_secret(endpoint=added.endpoint)
    secret.refresh_from_db()
    left = secret.expires_at - timezone.now()
    assert OLD_SECRET_SIGNS_FOR - timedelta(minutes=1) < left <= OLD_SECRET_SIGNS_FOR
    added.endpoint.secrets.filter(pk=secret.pk).update(expires_at=timezone.now())
    rotate_secret(endpoint=added.endpoint)

    assert added.endpoint.secrets.count() == 2
    assert not added.endpoint.secrets.filter(pk=secret.pk).exists()


def test_what_is_answered_is_kept_to_a_kilobyte(subscriber, added):
    subscriber.answer = b"\0\xff" + b"x" * 100_000
    send_test(endpoint=added.endpoint)

    send_all()

    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.error) == (200, "")
    assert attempt.answer == "\ufffd\ufffd" + "x" * 1022
    assert str(attempt).endswith("200")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"status": 500}, "The server answered 500."),
        ({"status": 404}, "The server answered 404."),
        ({"status": 302, "location": "/x"}, "The server answered 302. Redirects are not followed."),
        ({"hangs_up": True}, "There was no answer: Remote end closed connection"),
    ],
)
def test_what_fails_is_said_in_words_and_tried_again(subscriber, added, answers, words):
    vars(subscriber).update(answers)
    send_test(endpoint=added.endpoint)

    send_all()

    delivery = only_delivery()
    assert Attempt.objects.get().error.startswith(words)
    assert len(subscriber.received) == 1
    assert (delivery.status, delivery.attempts) == (DUE, 1)
    assert delivery.endpoint.failing_since
    assert delivery.next_attempt_at <= timezone.now() + 2 * PAUSES[0]

    subscriber.status, subscriber.hangs_up = 200, False
    make_due()
    send_all()

    delivery = only_delivery()
    assert (delivery.status, delivery.attempts) == (DELIVERED, 2)
    assert delivery.endpoint.failing_since is None
    assert len(set(subscriber.ids())) == 1


def test_it_waits_longer_each_time_and_gives_up_after_a_day(subscriber, added, monkeypatch):
    monkeypatch.setattr(outcomes.random, "uniform", lambda _least, most: most / 2)
    subscriber.status = 500
    send_test(endpoint=added.endpoint)
    waits = []
    for _ in PAUSES:
        make_due()
        before = timezone.now()
        send_all()
        waits.append(only_delivery().next_attempt_at - before)

    assert [round(wait.total_seconds()) for wait in waits] == [
        round(pause.total_seconds()) for pause in PAUSES
    ]
    assert timedelta(hours=20) < sum(PAUSES, timedelta()) < timedelta(hours=28)
    make_due()
    send_all()
    delivery = only_delivery()
    assert (delivery.status, delivery.attempts) == (GIVEN_UP, 10)

    subscriber.status = 200
    resend(delivery=delivery)
    send_all()
    assert only_delivery().status == DELIVERED
    assert len(set(subscriber.ids())) == 1


def test_the_wait_is_drawn_between_nothing_and_twice_the_pause(added, subscriber, monkeypatch):
    drawn = []
    monkeypatch.setattr(outcomes.random, "uniform", lambda *limits: drawn.append(limits) or 0)
    subscriber.status = 503
    send_test(endpoint=added.endpoint)

    send_all()

    assert set(drawn) == {(0, 2)}


def test_a_server_that_says_gone_is_asked_no_more(subscriber, added, organisation):
    MembershipFactory(organisation=organisation)
    subscriber.status = 410
    send_test(endpoint=added.endpoint)
    waiting = send_test(endpoint=added.endpoint)
    Delivery.objects.filter(pk=waiting.pk).update(next_attempt_at=timezone.now() + LEASE)

    send_all()

    endpoint = Endpoint.objects.get()
    assert endpoint.disabled_reason == "The server answered 410: it wants no more messages."
    assert set(Delivery.objects.values_list("status", flat=True)) == {GIVEN_UP}
    assert Mail.objects.count() == 1
    assert not Case.objects.exists()


def test_one_that_fails_for_three_days_is_disabled_and_people_hear_of_it(
    subscriber, added, organisation
):
    for role in Membership.Role:
        MembershipFactory(organisation=organisation, role=role, user__email=f"{role}@example.org")
    subscriber.status = 500
    send_test(endpoint=added.endpoint)
    send_all()
    let_days_go_by(only_delivery(), days=2)
    make_due()
    send_all()
    assert Endpoint.objects.get().is_active

    let_days_go_by(only_delivery(), days=1)
    make_due()
    send_all()

    endpoint = Endpoint.objects.get()
    assert not endpoint.is_active
    assert endpoint.disabled_reason.startswith("Nothing could be delivered since ")
    assert endpoint.disabled_reason.endswith("The last time: The server answered 500.")
    assert {mail.recipient for mail in Mail.objects.all()} == {
        "owner@example.org",
        "admin@example.org",
    }
    mail = Mail.objects.first()
    assert mail.subject == f"A webhook of {organisation.name} was disabled"
    assert f"/dashboard/{organisation.slug}/webhooks/{endpoint.id}" in mail.body
    assert endpoint.disabled_reason in mail.body
    case = Case.objects.get()
    assert (case.kind, case.subject) == (Case.Kind.SUBSCRIBER, endpoint.id)


def test_what_arrived_meanwhile_stays_delivered(subscriber, added):
    delivery = send_test(endpoint=added.endpoint)
    send_all()
    failed = sending.Outcome(timezone.now(), 5, 500, "", "")

    outcomes.record(delivery=delivery, outcome=failed)

    assert only_delivery().status == DELIVERED


def test_an_attempt_that_ends_after_its_endpoint_changes_nothing_of_it(subscriber, added):
    delivery = send_test(endpoint=added.endpoint)
    disable_endpoint(endpoint=added.endpoint, reason="Enough.")
    failed = sending.Outcome(timezone.now(), 5, None, "", "There was no answer.")

    outcomes.record(delivery=delivery, outcome=failed)

    assert only_delivery().status == GIVEN_UP
    assert Endpoint.objects.get().failing_since is None
    assert str(Attempt.objects.get()).endswith("There was no answer.")


def test_nothing_is_sent_to_who_was_deleted(subscriber, added):
    send_test(endpoint=added.endpoint)
    delete_endpoint(endpoint=added.endpoint)

    assert send_all() == 0
    assert only_delivery().status == GIVEN_UP
    assert subscriber.received == []


def test_a_secret_that_cannot_be_opened_is_told(subscriber, added, settings):
    settings.LEDGER_KEY_SECRET = "another"
    send_test(endpoint=added.endpoint)

    send_all()

    assert "Rotate the secret" in Attempt.objects.get().error
    assert subscriber.received == []


def test_a_bug_costs_one_attempt_and_stops_nobody(subscriber, added, monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(sending.outbound, "send", broken)
    send_test(endpoint=added.endpoint)

    send_all()

    assert Attempt.objects.get().error == "RuntimeError: a bug"


def test_a_private_address_is_refused_when_it_is_connected_to(subscriber, added, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    send_test(endpoint=added.endpoint)

    send_all()

    assert Attempt.objects.get().error.startswith("Write a complete address that begins with https")
    assert subscriber.received == []


def test_a_slow_server_gets_a_few_messages_at_once_and_no_more(subscriber, added):
    subscriber.held = Event()
    for _ in range(PLACES_FOR_ONE + 3):
        send_test(endpoint=added.endpoint)

    with Sender() as sender:
        while len(subscriber.received) < PLACES_FOR_ONE:
            sender.work()
        for _ in range(3):
            assert sender.work() == 0
        assert len(subscriber.received) == PLACES_FOR_ONE
        subscriber.held.set()
        while Delivery.objects.filter(status=DUE).exists():
            sender.work()

    assert len(set(subscriber.ids())) == PLACES_FOR_ONE + 3


def queue(endpoint, messages, due_at):
    Delivery.objects.bulk_create(
        Delivery(
            organisation=endpoint.organisation,
            message=message,
            endpoint=endpoint,
            next_attempt_at=due_at,
        )
        for message in messages
    )


def test_ten_thousand_for_a_dead_server_hold_up_none_for_a_good_one(organisation):
    with subscribing() as dead, subscribing() as good:
        dead.held = Event()
        lost = endpoint_at(dead.url, organisation).endpoint
        found = endpoint_at(good.url, organisation).endpoint
        messages = Message.objects.bulk_create(
            Message(organisation=organisation, type="x", subject=str(number), body="{}")
            for number in range(10_000)
        )
        queue(lost, messages, due_at=timezone.now() - timedelta(hours=1))
        queue(found, messages[:200], due_at=timezone.now())

        with Sender() as sender:
            while found.deliveries.filter(status=DUE).exists():
                sender.work()
            assert len(dead.received) == PLACES_FOR_ONE  # and none of them has an answer yet
            assert not Attempt.objects.filter(delivery__endpoint=lost).exists()
            dead.held.set()

        assert len(set(good.ids())) == 200


def test_servers_that_fail_have_half_of_the_places_together(organisation, monkeypatch):
    monkeypatch.setattr(sending, "PLACES_FOR_FAILING", 2)
    with subscribing() as dead:
        dead.held = Event()
        for number in range(4):
            endpoint = endpoint_at(
                f"{dead.url}&n={number}", organisation, "entry.appended"
            ).endpoint
            for _ in range(2):
                send_test(endpoint=endpoint)
        Endpoint.objects.update(failing_since=timezone.now())

        with Sender() as sender:
            while len(dead.received) < 2:
                sender.work()
            for _ in range(3):
                assert sender.work() == 0
            paths = len(dead.received)
            dead.held.set()

        assert paths == 2


KILLED = """
import django, os, signal
django.setup()
from webhooks.services import sending
real = sending.outbound.send
def killed(*arguments, **options):
    real(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
sending.outbound.send = killed
sender = sending.Sender()
while True:
    sender.work()
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_it_noted_the_answer_is_followed_by_another(subscriber, added):
    send_test(endpoint=added.endpoint)
    name = connection.settings_dict["NAME"]
    connection.close()
    server = running_server()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": server.url("almoner", name),
        "DATABASE_OWNER_URL": server.url("almoner_owner", name),
        "WEBHOOKS_ALLOW_PRIVATE": "1",
    }

    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment, timeout=60, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert not Attempt.objects.exists()
    assert send_all() == 0  # its claim has not run out
    left = only_delivery().next_attempt_at - timezone.now()
    assert timedelta() < left <= LEASE
    make_due()
    send_all()
    first, second = subscriber.ids()
    assert first == second
    assert subscriber.received[0][1] == subscriber.received[1][1]
    assert only_delivery().status == DELIVERED


def test_what_was_told_a_month_ago_is_forgotten_unless_it_waits(subscriber, added):
    send_test(endpoint=added.endpoint)
    send_all()
    waiting = send_test(endpoint=added.endpoint)
    forget_deliveries(timestamp=0)
    assert Message.objects.count() == 2

    Message.objects.update(created_at=timezone.now() - timedelta(days=31))
    forget_old()

    assert only_delivery() == waiting
    assert not Attempt.objects.exists()
