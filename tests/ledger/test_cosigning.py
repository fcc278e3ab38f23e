"""Collecting cosignatures from real witnesses: what is kept, what is not, and when staff hear."""

from io import StringIO

import psycopg
import pytest
from django.core.management import call_command

from config.postgres_home import SUPERUSER
from ledger import log, notes
from ledger.models import Checkpoint, Cosignature, WitnessAnswer
from ledger.services import cosigning
from ledger.services.books import open_book
from ledger.services.checkpoints import kept_file
from ledger.services.cosigning import collect_cosignatures
from ledger.services.sealing import seal
from ledger.witnessing import cosigned_note, witness_policy
from reviews.models import Case
from reviews.tasks import cosign_books
from tests.factories import ApplicantFactory, OrganisationFactory, UserFactory, gift_entries
from tests.ledger.backups import forget
from tests.ledger.test_witness_client import answer, listening
from tests.ledger.witnesses import ask_again, policy_of_all, two_partners, write_policy
from tests.reviews.deciding import close_case

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation():
    organisation = OrganisationFactory(slug="lantern")
    gift_entries(organisation, 2)
    seal(book=organisation.books.get())
    return organisation


@pytest.fixture
def partners(tmp_path, organisation):
    """Two witnesses who know the log."""
    with two_partners(tmp_path, log.vkey_of(organisation.pk)) as partners:
        yield partners


@pytest.fixture
def policy(settings, tmp_path, partners):
    return write_policy(settings, tmp_path, *policy_of_all(partners))


def grow(organisation, count=1):
    book = organisation.books.get(book="public")
    gift_entries(organisation, count, first=book.size - 1)
    return seal(book=book)


def signers(size=None):
    """Return whose cosignatures the newest checkpoint has, each of them checked."""
    rows = Checkpoint.objects.order_by("-size")
    checkpoint = rows.get(size=size) if size else rows.first()
    note = notes.parse_note(cosigned_note(checkpoint).encode())
    keys = [witness.key for witness in witness_policy().witnesses]
    return sorted(key.name for key in note.signed_by(keys))


def states():
    return {
        notes.parse_key(row.witness).name.partition(".")[0]: row.state
        for row in WitnessAnswer.objects.all()
    }


def test_every_witness_signs_what_is_new_and_once(organisation, partners, policy):
    cosign_books(timestamp=0)
    cosign_books(timestamp=0)
    assert signers() == ["anna.example", "bert.example"]

    grow(organisation)
    cosign_books(timestamp=0)

    assert signers(3) == signers(4) == ["anna.example", "bert.example"]
    assert Cosignature.objects.count() == 4
    assert states() == {"anna": "cosigned", "bert": "cosigned"}
    row = Cosignature.objects.first()
    assert str(row).startswith("public/3 by ")
    assert str(WitnessAnswer.objects.first()).endswith(": cosigned")


def test_one_that_is_down_is_asked_again_and_does_not_hold_up_the_other(
    organisation, partners, policy
):
    anna, bert = partners
    bert.stop()
    cosign_books(timestamp=0)
    assert signers() == ["anna.example"]
    assert states() == {"anna": "cosigned", "bert": "silent"}
    since = WitnessAnswer.objects.get(state="silent").since
    grow(organisation)
    cosign_books(timestamp=0)
    assert WitnessAnswer.objects.get(state="silent").since == since

    bert.start()
    cosign_books(timestamp=0)
    assert signers() == ["anna.example", "bert.example"]

    anna.kill()
    grow(organisation, 300)
    cosign_books(timestamp=0)
    assert signers() == ["bert.example"]
    anna.start()
    cosign_books(timestamp=0)
    assert signers() == ["anna.example", "bert.example"]
    assert not Case.objects.exists()


def test_a_witness_that_remembers_another_size_is_asked_from_there(
    organisation, partners, policy, superuser_connection
):
    cosign_books(timestamp=0)
    superuser_connection.execute("ALTER TABLE ledger_cosignature DISABLE TRIGGER ledger_refuse")
    superuser_connection.execute("DELETE FROM ledger_cosignature")
    superuser_connection.execute(
        "ALTER TABLE ledger_cosignature ENABLE ALWAYS TRIGGER ledger_refuse"
    )
    grow(organisation, 5)

    cosign_books(timestamp=0)

    assert signers() == ["anna.example", "bert.example"]


def test_only_public_logs_of_approved_organisations_are_shown_to_witnesses(
    organisation, settings, tmp_path
):
    open_book(organisation=organisation, name="credits")
    seal(book=organisation.books.get(book="credits"))
    hidden = ApplicantFactory()
    with listening(answer("", "404 Not Found")) as (witness, heard):
        write_policy(settings, tmp_path, witness, "quorum none")
        cosign_books(timestamp=0)

    assert hidden.pk not in str(heard)
    [(_, body)] = heard
    assert f"/log/{organisation.pk}\n3\n".encode() in body


def test_one_that_does_not_know_the_log_is_left_alone_for_a_while(
    organisation, partners, policy, tmp_path, superuser_connection
):
    other = OrganisationFactory(slug="other")
    seal(book=other.books.get())

    cosign_books(timestamp=0)

    unknown = WitnessAnswer.objects.filter(organisation=other)
    assert [row.state for row in unknown] == ["unknown", "unknown"]
    assert unknown[0].problem == "It does not know this log."
    asked_at = set(unknown.values_list("asked_at"))
    cosign_books(timestamp=0)
    assert set(unknown.values_list("asked_at")) == asked_at
    for partner in partners:
        partner.stop()
        partner.vkeys += (log.vkey_of(other.pk),)
        partner.start()
    ask_again(superuser_connection)
    cosign_books(timestamp=0)
    assert not WitnessAnswer.objects.exclude(state="cosigned").exists()
    assert not WitnessAnswer.objects.exclude(problem="").exists()


# When the witness has seen something else


def trust(organisation):
    """Do what an operator does who believes in a database that is an older one."""
    kept_file(organisation.books.get()).unlink()
    if Checkpoint.objects.exists():
        call_command("trust_checkpoint", "--organisation", organisation.slug, stdout=StringIO())


def test_a_restored_older_database_is_refused_and_staff_hear_of_it(
    organisation, partners, policy, superuser_connection, caplog
):
    grow(organisation, 2)
    cosign_books(timestamp=0)
    forget(superuser_connection, size=3)
    trust(organisation)
    seal(book=organisation.books.get())

    cosign_books(timestamp=0)

    assert signers() == []
    assert states() == {"anna": "contradicted", "bert": "contradicted"}
    case = Case.objects.order_by("summary")[0]
    assert (case.kind, case.organisation) == ("witness", organisation)
    assert case.subject.startswith(f"{organisation.pk}/public ")
    assert "The witness anna.example refuses" in case.summary
    assert "It has cosigned 5 entries, and 3 are here." in case.summary
    assert "Restore the database that the witness has seen." in case.summary
    assert [record.message for record in caplog.records] == ["a witness saw another log"] * 2
    cosign_books(timestamp=0)
    assert Case.objects.count() == 2
    close_case(case=case, closed_by=UserFactory(), reason="Seen.")
    ask_again(superuser_connection)
    cosign_books(timestamp=0)
    assert Case.objects.filter(closed_at=None).count() == 2


def test_a_forked_log_is_refused_and_staff_hear_of_it(
    organisation, partners, policy, superuser_connection
):
    grow(organisation, 2)
    cosign_books(timestamp=0)
    forget(superuser_connection, size=3)
    trust(organisation)
    gift_entries(organisation, 5, first=50)
    seal(book=organisation.books.get())

    cosign_books(timestamp=0)

    assert signers() == []
    assert Case.objects.count() == 2
    assert "It has seen another tree of this log." in Case.objects.first().summary


def test_another_tree_of_the_same_size_is_refused_too(
    organisation, partners, policy, superuser_connection
):
    cosign_books(timestamp=0)
    forget(superuser_connection, size=1)
    trust(organisation)
    gift_entries(organisation, 2, first=50)
    seal(book=organisation.books.get())

    cosign_books(timestamp=0)

    assert signers() == []
    assert "It has seen another tree of this log." in Case.objects.first().summary


# What a witness may do to us


SIZE = "Content-Type: text/x.tlog.size\r\n"


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([answer("x" * 1_000_000)], "wrong"),
        ([answer("", "302 Found", "Location: http://127.0.0.1:1/\r\n")], "wrong"),
        ([answer("2\n", "409 Conflict", SIZE), answer("x")], "wrong"),
        ([answer("2\n", "409 Conflict", SIZE)] * 2, "silent"),
        ([answer("9\n", "409 Conflict", SIZE)], "contradicted"),
        ([b"nonsense"], "silent"),
    ],
)
def test_a_lying_witness_changes_nothing(organisation, settings, tmp_path, answers, state):
    before = cosigned_note(Checkpoint.objects.get())
    with listening(*answers) as (witness, heard):
        write_policy(settings, tmp_path, witness, "quorum w")
        cosign_books(timestamp=0)

    assert len(heard) == len(answers)
    assert cosigned_note(Checkpoint.objects.get()) == before
    assert [row.state for row in WitnessAnswer.objects.all()] == [state]
    assert Case.objects.exists() == (state == "contradicted")


def test_a_size_that_we_have_meanwhile_is_no_contradiction(organisation, settings, tmp_path):
    with listening(answer("4\n", "409 Conflict", SIZE)) as (witness, _):
        write_policy(settings, tmp_path, witness, "quorum w")
        questions = cosigning._unsigned(witness_policy())
        grow(organisation)
        [(_, question, refusal)] = cosigning.ask_witnesses(questions)

    assert refusal.size == 4 > question.size
    assert isinstance(cosigning.judged(refusal, size=4), cosigning.Silent)


def test_no_transaction_is_open_while_a_witness_is_asked(
    organisation, settings, tmp_path, superuser_connection, monkeypatch
):
    open_ones = []
    real = cosigning.add_checkpoint

    def ask(*arguments, **options):
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        open_ones.append(superuser_connection.execute(query).fetchone()[0])
        return real(*arguments, **options)

    monkeypatch.setattr(cosigning, "add_checkpoint", ask)
    with listening(answer("", "404 Not Found")) as (witness, _):
        write_policy(settings, tmp_path, witness, "quorum w")
        collect_cosignatures(policy=witness_policy())

    assert open_ones == [0]


def test_a_silent_witness_is_asked_about_one_log_only(settings, tmp_path):
    for _ in range(3):
        seal(book=OrganisationFactory().books.get())
    with listening(b"") as (witness, heard):
        write_policy(settings, tmp_path, witness, "quorum w")
        cosign_books(timestamp=0)

    assert len(heard) == WitnessAnswer.objects.count() == 1


def test_what_there_is_no_time_for_comes_first_the_next_time(settings, tmp_path, monkeypatch):
    for _ in range(3):
        seal(book=OrganisationFactory().books.get())
    refusals = [answer("", "404 Not Found")] * 3
    with listening(*refusals) as (witness, heard):
        write_policy(settings, tmp_path, witness, "quorum w")
        monkeypatch.setattr(cosigning, "RUN_SECONDS", -1)
        cosign_books(timestamp=0)
        assert heard == []
        monkeypatch.setattr(cosigning, "RUN_SECONDS", 10)
        monkeypatch.setattr(cosigning, "LOGS_A_RUN", 2)
        cosign_books(timestamp=0)
        assert len(heard) == 2
        cosign_books(timestamp=0)

    assert len(heard) == WitnessAnswer.objects.count() == 3


def test_a_log_without_its_tiles_holds_up_no_other(
    organisation, partners, policy, superuser_connection, caplog
):
    cosign_books(timestamp=0)
    broken = OrganisationFactory(slug="broken")
    partners[0].stop()
    partners[0].vkeys += (log.vkey_of(broken.pk),)
    partners[0].start()
    seal(book=broken.books.get())
    cosign_books(timestamp=0)
    grow(organisation)
    gift_entries(broken)
    seal(book=broken.books.get())
    superuser_connection.execute("ALTER TABLE ledger_tile DISABLE TRIGGER ledger_refuse")
    superuser_connection.execute("DELETE FROM ledger_tile WHERE organisation_id = %s", [broken.pk])
    superuser_connection.execute("ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_refuse")

    cosign_books(timestamp=0)

    assert "no proof for witnesses" in [record.message for record in caplog.records]
    assert signers(4) == ["anna.example", "bert.example"]


def test_a_log_that_another_worker_asked_for_is_kept_once(organisation, partners, policy):
    questions = cosigning._unsigned(witness_policy())
    answers = list(cosigning.ask_witnesses(questions))

    for witness, question, told in answers * 2:
        cosigning._keep(question.subject, question.size, witness, told)

    assert Cosignature.objects.count() == 2


def test_without_a_policy_nobody_is_asked(organisation):
    cosign_books(timestamp=0)

    assert collect_cosignatures(policy=witness_policy()) == []
    assert not WitnessAnswer.objects.exists()


# What the database holds


@pytest.mark.parametrize("role", ["application", "owner"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_cosignature SET line = line",
        "UPDATE ledger_cosignature SET signed_at = now()",
        "DELETE FROM ledger_cosignature",
        "TRUNCATE ledger_cosignature",
    ],
)
def test_a_cosignature_is_not_changed(
    organisation, owner_connection, application_connection, role, change
):
    application = application_connection()
    application.execute(SIGNED.format(organisation=organisation.pk, size=3, line=LINE))
    connection = application if role == "application" else owner_connection

    with pytest.raises(psycopg.Error) as refusal:
        connection.execute(change)

    assert refusal.value.sqlstate in ("42501", "23001")
    assert Cosignature.objects.count() == 1


def test_replication_changes_no_cosignature_either(organisation, connect):
    superuser = connect(SUPERUSER)
    superuser.execute(SIGNED.format(organisation=organisation.pk, size=3, line=LINE))
    superuser.execute("SET session_replication_role = replica")

    for change in ("UPDATE ledger_cosignature SET size = 1", "TRUNCATE ledger_cosignature"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            superuser.execute(change)


LINE = "— w.example AAAA"
SIGNED = (
    "INSERT INTO ledger_cosignature (organisation_id, book, size, witness, line, signed_at) "
    "VALUES ('{organisation}', 'public', {size}, 'w', '{line}', now())"
)


@pytest.mark.parametrize(
    ("size", "line", "state"),
    [
        (4, LINE, "23503"),
        (3, "", "23514"),
        (3, f"{LINE}\n{LINE}", "23514"),
        (3, "x w.example AAAA", "23514"),
    ],
)
def test_a_cosignature_is_one_line_of_a_checkpoint(
    organisation, application_connection, size, line, state
):
    with pytest.raises(psycopg.Error) as refusal:
        statement = SIGNED.format(organisation=organisation.pk, size=size, line=line)
        application_connection().execute(statement)

    assert refusal.value.sqlstate == state
