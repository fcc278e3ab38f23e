"""Time stamps of the heads log: asked for over HTTP, checked, kept, and checked with OpenSSL."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.postgres_home import SUPERUSER
from ledger.models import HeadsTimestamp
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from ledger.services.timestamping import timestamp_heads
from reviews.models import Case
from reviews.tasks import timestamp_heads_hourly
from tests.factories import OrganisationFactory, UserFactory, gift_entries
from tests.reviews.deciding import close_case
from tests.time_stamper import stamper, stamper_of_the_run

__all__ = ["stamper", "stamper_of_the_run"]

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).parents[2] / "docs" / "heads.md"
SCRIPT = re.compile(r"<!-- verify-a-time-stamp -->\n```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
REFUSAL = bytes.fromhex("30133011020102300c0c0a") + b"No, really"


@pytest.fixture
def heads(settings, stamper):
    """A heads log of one head, which a time stamper is set for."""
    settings.LEDGER_TIMESTAMP_URL = stamper.url
    grow(OrganisationFactory())


def grow(organisation):
    book = organisation.books.get()
    gift_entries(organisation, first=book.size)
    seal(book=book)
    return seal_heads()


def command():
    out = StringIO()
    call_command("timestamp_heads", stdout=out)
    return out.getvalue()


def test_a_time_stamp_is_kept_as_it_came(heads, stamper, client):
    stamped = timestamp_heads()

    assert bytes(stamped.response) == (stamper.folder / "answer").read_bytes()
    assert client.get("/log/heads/checkpoints/1.tsr").content == bytes(stamped.response)
    assert datetime.now(UTC) - timedelta(minutes=5) < stamped.stamped_at <= stamped.received_at


def test_openssl_verifies_it_by_hand(heads, stamper, client, tmp_path):
    timestamp_heads()
    for name in ("1", "1.tsr"):
        (tmp_path / name).write_bytes(client.get(f"/log/heads/checkpoints/{name}").content)
    (tmp_path / "tsa.pem").write_bytes((stamper.folder / "root.pem").read_bytes())
    [script] = SCRIPT.findall(PAGE.read_text())
    # What curl fetches, from files: no server runs here.
    script = re.sub(r'curl -sf "\$SITE/log/heads/checkpoints/\$SIZE(.*)" >', r"cat 1\1 >", script)

    def verified():
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return "Verification: OK" in done.stdout, "Time stamp: " in done.stdout

    assert "curl" not in script
    assert verified() == (True, True)
    (tmp_path / "1").write_bytes((tmp_path / "1").read_bytes().replace(b"\n1\n", b"\n2\n"))
    assert verified() == (False, True)


def test_each_checkpoint_is_stamped_once(heads, stamper):
    assert timestamp_heads() == timestamp_heads()
    assert len(stamper.questions) == 1

    grow(OrganisationFactory())
    timestamp_heads()

    assert sorted(HeadsTimestamp.objects.values_list("pk", flat=True)) == [1, 2]
    assert stamper.questions[0] != stamper.questions[1]


def test_two_at_once_keep_one(heads):
    def work(_number):
        try:
            return bytes(timestamp_heads().response)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, range(2))

    assert first == second == bytes(HeadsTimestamp.objects.get().response)


def test_nothing_waits_in_a_transaction_meanwhile(heads, stamper, connect):
    superuser, waiting = connect(SUPERUSER), []

    def answer(question):
        rows = superuser.execute(
            "SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
            "AND datname = current_database()"
        )
        waiting.extend(rows.fetchall())
        return stamper.stamp(question)

    stamper.answer = answer

    timestamp_heads()

    assert waiting == []


def other_note(stamper, question):
    stamper.openssl("ts", "-query", "-digest", "ab" * 32, "-sha256", "-cert", "-out", "other")
    return stamper.stamp((stamper.folder / "other").read_bytes())


def without_nonce(stamper, question):
    digest = re.search(b"\x04\x20(.{32})", question, re.DOTALL)[1].hex()
    stamper.openssl("ts", "-query", "-digest", digest, "-sha256", "-no_nonce", "-out", "other")
    return stamper.stamp((stamper.folder / "other").read_bytes())


def other_nonce(stamper, question):
    digest = re.search(b"\x04\x20(.{32})", question, re.DOTALL)[1].hex()
    stamper.openssl("ts", "-query", "-digest", digest, "-sha256", "-out", "other")
    return stamper.stamp((stamper.folder / "other").read_bytes())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (other_note, "it stamps something else"),
        (without_nonce, "it is the answer to another question"),
        (other_nonce, "it is the answer to another question"),
        (lambda _stamper, _question: b"", "answered with no time stamp: "),
        (lambda _stamper, _question: b"<html>", "answered with no time stamp: "),
        (lambda stamper, question: stamper.stamp(question)[:-9], "answered with no time stamp: "),
        (lambda _stamper, _question: REFUSAL, "it refuses with the status 2: No, really"),
        (
            lambda _stamper, _question: bytes.fromhex("30053003020102"),
            "it refuses with the status 2: it gives no reason",
        ),
        (lambda _stamper, _question: bytes.fromhex("30053003020100"), "no time stamp: "),
        (lambda _stamper, _question: bytes(70_000), "answered with more than 65,536 bytes"),
    ],
)
def test_an_answer_that_is_no_time_stamp_of_this_is_refused(heads, stamper, answer, words):
    stamper.answer = lambda question: answer(stamper, question)

    with pytest.raises(CommandError) as refusal:
        command()

    assert words in str(refusal.value)
    assert str(refusal.value).startswith(stamper.url)
    assert not HeadsTimestamp.objects.exists()


def test_the_command_says_what_was_confirmed(settings, stamper):
    with pytest.raises(CommandError, match="LEDGER_TIMESTAMP_URL is not set"):
        command()
    settings.LEDGER_TIMESTAMP_URL = stamper.url
    with pytest.raises(CommandError, match="Nothing is sealed yet"):
        command()
    grow(OrganisationFactory())

    said = command()

    assert said.startswith("The checkpoint of 1 heads was there at 20")
    assert said.endswith(" UTC: /log/heads/checkpoints/1.tsr\n")


def test_the_job_asks_only_where_a_time_stamper_is_set(heads, settings, stamper):
    settings.LEDGER_TIMESTAMP_URL = ""
    timestamp_heads_hourly(timestamp=0)
    assert stamper.questions == []

    settings.LEDGER_TIMESTAMP_URL = stamper.url
    timestamp_heads_hourly(timestamp=0)

    assert HeadsTimestamp.objects.count() == 1
    assert not Case.objects.exists()


def test_a_failure_is_one_case_and_logged(heads, stamper, caplog):
    stamper.answer = lambda _question: REFUSAL

    timestamp_heads_hourly(timestamp=0)
    timestamp_heads_hourly(timestamp=0)

    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("timestamp", "heads", None)
    assert "it refuses with the status 2: No, really.\nIt is tried again every" in case.summary
    assert case.summary.endswith("at once: manage.py timestamp_heads")
    assert [record.message for record in caplog.records] == ["no time stamp"] * 2
    close_case(case=case, closed_by=UserFactory(), reason="Seen.")
    timestamp_heads_hourly(timestamp=0)
    assert Case.objects.filter(closed_at=None).count() == 1


def test_what_fails_otherwise_is_a_case_too(heads, monkeypatch):
    monkeypatch.setattr("reviews.tasks.timestamp_heads", lambda: 1 / 0)

    timestamp_heads_hourly(timestamp=0)

    assert Case.objects.get().summary.startswith("ZeroDivisionError: ")
