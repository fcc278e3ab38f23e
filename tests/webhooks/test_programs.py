"""The real web server and the real worker: odd senders, and `kill -9` at any moment."""

import random
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import requests

from tests.stripe_resources import charge, transaction
from tests.stripe_story import sign
from tests.webhooks.messages import URL, body_of, event
from tests.webhooks.programs import programs, until

EVENTS, GIFTS, ROUNDS = 500, 100, 6


@pytest.fixture(scope="module")
def running(django_db_setup, tmp_path_factory):
    """A web server and a worker with one organisation."""
    with programs(tmp_path_factory.mktemp("programs")) as house:
        house.stripe.accounts["acct_1"].now = 2**40
        house.organisation_id = house.organisation()["id"]
        house.start("web")
        house.start("worker")
        until(house.listens)
        until(lambda: house.ask("SELECT 1 FROM webhooks_worker"))
        yield house


def send_raw(house, head, body=b"", *, is_cut=False):
    """Send bytes as they are; return the first line of the answer, and what it has to say."""
    lines = [f"POST {URL} HTTP/1.1", f"Host: 127.0.0.1:{house.port}", "Connection: close"]
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n" + head + b"\r\n\r\n" + body)
        if is_cut:
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return answer.partition(b"\r\n")[0], answer


def header(body, signature):
    return b"Content-Length: %d\r\nStripe-Signature: %b" % (len(body), signature)


def test_a_header_that_is_not_ascii_is_refused_by_the_real_server(running):
    body = body_of(event())
    signed = sign(body).encode()

    for odd in (b"\xff", b"\xc3\xa9", b"v1=\x80", signed + b",v1=\xe9", b"\xff," + signed):
        status, answer = send_raw(running, header(body, odd), body)
        assert status.startswith(b"HTTP/1.1 400"), answer
        assert b"invalid_signature" in answer
    assert send_raw(running, header(body, signed), body)[0] == b"HTTP/1.1 200 OK"


def test_a_body_that_breaks_off_is_not_taken(running):
    body = body_of(event())
    before = running.ask("SELECT count(*) FROM webhooks_stripeevent")

    status, _ = send_raw(running, header(body, sign(body).encode()), body[:-9], is_cut=True)

    assert not status.startswith(b"HTTP/1.1 2")
    assert running.ask("SELECT count(*) FROM webhooks_stripeevent") == before
    assert send_raw(running, header(body, sign(body).encode()), body)[0] == b"HTTP/1.1 200 OK"


def test_a_body_of_no_announced_length_is_not_taken(running):
    body = body_of(event())
    head = b"Transfer-Encoding: chunked\r\nStripe-Signature: " + sign(body).encode()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    status, answer = send_raw(running, head, chunks)

    assert status.startswith(b"HTTP/1.1 400"), answer


def test_a_body_over_the_limit_is_refused_before_it_is_read(running):
    status, answer = send_raw(running, b"Content-Length: 1048577\r\nStripe-Signature: x")

    assert status.startswith(b"HTTP/1.1 413"), answer
    assert b"body_too_large" in answer


def test_an_event_is_booked_by_the_real_worker_which_stops_when_asked(running):
    row = transaction("fee", -25)
    running.stripe.accounts["acct_1"].put("balance_transactions", row)
    body = body_of(event())

    send_raw(running, header(body, sign(body).encode()), body)

    until(lambda: running.ask("SELECT 1 FROM ledger_entry WHERE operation = 'PROVIDER_FEE'"))
    assert running.stop("worker") == 0
    running.start("worker")


OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"


def test_connections_that_the_database_ended_are_noticed_by_no_sender(running):
    running.stop("worker")
    for _ in range(3):
        running.ask(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OTHERS}")
        bodies = [body_of(event()) for _ in range(20)]

        answers = [send_raw(running, header(body, sign(body).encode()), body) for body in bodies]

        assert {status for status, _ in answers} == {b"HTTP/1.1 200 OK"}
    running.start("worker")


def test_a_delivery_whose_connection_is_lost_midway_is_stored_all_the_same(running):
    body = body_of(event())
    url = running.environment["DATABASE_OWNER_URL"]
    waiting = f"FROM pg_stat_activity WHERE {OTHERS} AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as sender, psycopg.connect(url) as owner:
        owner.execute("LOCK TABLE webhooks_stripeevent IN EXCLUSIVE MODE")

        sent = sender.submit(send_raw, running, header(body, sign(body).encode()), body)
        until(lambda: running.ask(f"SELECT 1 {waiting} AND query LIKE '%take_in%'"))
        running.ask(f"SELECT pg_terminate_backend(pid, 5000) {waiting}")
        owner.rollback()

        status, answer = sent.result()
    assert status == b"HTTP/1.1 200 OK"
    assert b'"new": true' in answer


class Senders:
    """Stripe's senders: each repeats its event until the answer is 200."""

    def __init__(self, house):
        self.house = house
        self.answers = Counter()
        self.pool = ThreadPoolExecutor(8)

    def send(self, message):
        """Deliver one event, however often it takes."""
        body = body_of(message)
        deadline = time.monotonic() + 40
        while (answer := self._post(body)) != 200:
            self.answers[answer] += 1
            assert time.monotonic() < deadline, self.answers
            time.sleep(0.05)
        self.answers[200] += 1

    def _post(self, body):
        headers = {"Stripe-Signature": sign(body), "Content-Type": "application/json"}
        try:
            return requests.post(self.house.url + URL, body, headers=headers, timeout=5).status_code
        except requests.RequestException:
            return None


def test_kill_9_at_any_moment_loses_nothing_and_books_nothing_twice(running):
    account, senders, dice = running.stripe.accounts["acct_1"], Senders(running), random.Random(9)
    gifts = [running.give(running.organisation_id) for _ in range(GIFTS)]
    charges = [charge(5000, gift) for gift in gifts]
    charges += [charge(dice.randint(100, 9999)) for _ in range(EVENTS - GIFTS)]
    dice.shuffle(charges)
    rows = [transaction("charge", each["amount"], 100, source=each) for each in charges]
    already = running.ask("SELECT count(*) FROM webhooks_stripeevent")[0][0]

    with senders.pool:
        for number in range(ROUNDS):
            part = slice(number * EVENTS // ROUNDS, (number + 1) * EVENTS // ROUNDS)
            sent = []
            for row, each in zip(rows[part], charges[part], strict=True):
                account.put("balance_transactions", row)
                message = event("charge.succeeded", data={"object": each})
                sent.append(senders.pool.submit(senders.send, message))
            kill_at_random(running, senders, dice, number)
            for one in sent:
                one.result()

    until(lambda: not running.ask("SELECT 1 FROM webhooks_stripeevent WHERE status <> 'done'"))
    check_that_all_is_booked_once(running, rows, gifts, already)
    running.manage("audit_ledger")


def kill_at_random(house, senders, dice, number):
    """Kill the worker soon after it began to read; in every second round the web server too."""
    asked, taken = len(house.stripe.asked), senders.answers[200]
    if number % 2:
        until(lambda: senders.answers[200] > taken + dice.randint(5, 40))
        house.kill("web")
        house.start("web")
    until(lambda: len(house.stripe.asked) > asked)
    time.sleep(dice.uniform(0, 0.15))
    house.kill("worker")
    house.start("worker")


def check_that_all_is_booked_once(house, rows, gifts, already):
    [(count,)] = house.ask("SELECT count(*) FROM webhooks_stripeevent")
    assert count == EVENTS + already
    entries = house.ask("SELECT nonce, amount FROM ledger_entry WHERE nonce LIKE 'stripe:%:txn_%'")
    booked = {nonce: amount for nonce, amount in entries if not nonce.endswith("provider_fee")}
    assert booked == {
        f"stripe:acct_1:{row['id']}:{leg}": amount
        for row in rows
        for leg, amount in (("charge", row["amount"]), ("fee", row["fee"]))
    }
    assert len(entries) == 2 * EVENTS + 1
    [(place,)] = house.ask("SELECT debits - credits FROM ledger_account WHERE name = 'stripe'")
    [(balance,)] = house.ask("SELECT available + pending FROM treasury_stripebalance")
    assert place == balance == sum(row["net"] for row in rows) - 25
    settled = house.ask("SELECT id FROM donations_donation WHERE status = 'settled'")
    assert {name for (name,) in settled} == set(gifts)
    assert house.ask("SELECT 1 FROM reviews_case") == []
