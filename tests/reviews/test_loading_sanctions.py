"""Loading lists: as a whole or not at all, and what was loaded before stays in use."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from reviews.errors import ReasonMissing
from reviews.models.sanctions import ClearedPair, ListedName, SanctionList
from reviews.sanction_lists.errors import ListRefused
from reviews.services import sanctions as services
from reviews.services.sanctions import clear_pair, load_list
from tests.factories import UserFactory

FILES = Path(__file__).resolve().parents[1] / "data" / "sanctions"
SDN, CONSOLIDATED = FILES / "sdn.xml", FILES / "consolidated-ofac.xml"

pytestmark = pytest.mark.django_db


def load(*paths, **options):
    return load_list(source="OFAC", paths=paths, **options)


def refused(*paths, **options):
    with pytest.raises(ListRefused) as refusal:
        load(*paths, **options)
    return str(refusal.value)


def listed():
    return set(ListedName.objects.values_list("uid", "name", "is_weak"))


@pytest.fixture
def altered(tmp_path):
    """Return what writes a file like SDN.XML with some of its text replaced."""

    def write(old, new, name="altered.xml"):
        path = tmp_path / name
        path.write_text(SDN.read_text("utf-8").replace(old, new), "utf-8")
        return path

    return write


def test_the_command_loads_a_list_and_says_what_it_has(capsys, monkeypatch):
    monkeypatch.setattr(services, "BATCH", 2)

    call_command("load_sanctions", "--list", "OFAC", str(SDN), str(CONSOLIDATED))

    told = json.loads(capsys.readouterr().out)
    kept = SanctionList.objects.get()
    assert told == {
        "list": "OFAC",
        "published_on": "2026-11-20",
        "entries": 4,
        "sha256": kept.sha256,
    }
    assert (kept.published_on, kept.entries) == (date(2026, 11, 20), 4)
    assert len(listed()) == 7
    name = ListedName.objects.get(uid="90002")
    assert (name.kind, name.programme) == ("organisation", "TIDE")
    assert str(name) == "MOONSHELL & SONS TRADING LLC (OFAC 90002)"
    assert str(kept) == "United States (OFAC)"


def test_a_list_takes_the_place_of_the_one_before_and_of_no_other(altered):
    load_list(source="UN", paths=[FILES / "un.xml"])
    others = listed()
    first = load(SDN)

    second = load(altered("GREY PELICAN", "GREY HERON"))

    assert listed() - others == {
        ("90001", "Waldemar Ottokar GRIMBALDOV", False),
        ("90001", "Vladimar GRIMBALD", False),
        ("90001", "THE HERON", True),
        ("90002", "MOONSHELL & SONS TRADING LLC", False),
        ("90003", "GREY HERON", False),
    }
    assert others < listed()
    assert first.sha256 != second.sha256
    assert first.imported_at < second.imported_at


def test_the_same_file_again_counts_as_loaded_now():
    first, again = load(SDN), load(SDN)

    assert first.sha256 == again.sha256
    assert first.imported_at < again.imported_at


def test_an_older_list_is_loaded_only_where_that_is_meant(altered):
    load(SDN)
    older = altered("11/20/2026", "11/19/2026")
    before = listed()

    told = refused(older)

    assert told == (
        "This list is older: of 2026-11-19, and the one in use of 2026-11-20. If that is meant, "
        "load it with --force. What was loaded before is still in use."
    )
    assert listed() == before
    with pytest.raises(CommandError, match="This list is older"):
        call_command("load_sanctions", "--list", "OFAC", str(older))
    call_command("load_sanctions", "--list", "OFAC", "--force", str(older))
    assert SanctionList.objects.get().published_on == date(2026, 11, 19)


def entries(path, *, kept):
    """Leave so many of a file's entries in it."""
    beginning, *parties = path.read_text("utf-8").split("  <sdnEntry>")
    text = "  <sdnEntry>".join([beginning, *parties[:kept]])
    path.write_text(text if text.rstrip().endswith("</sdnList>") else f"{text}</sdnList>", "utf-8")
    return path


def test_a_list_of_less_than_half_as_many_is_loaded_only_where_that_is_meant(altered):
    load(SDN, CONSOLIDATED)
    half, less = (entries(altered("", "", f"{kept}.xml"), kept=kept) for kept in (2, 1))

    assert "This list has 1 parties, and the one in use 4: more than half are gone." in (
        refused(less)
    )
    assert load(half).entries == 2
    assert load(less).entries == 1
    load(SDN, CONSOLIDATED)
    assert load(less, is_forced=True).entries == 1


def test_a_list_of_nobody_is_never_loaded(altered):
    empty = entries(altered("", ""), kept=0)

    assert refused(empty, is_forced=True) == (
        "There is nobody on the list. What was loaded before is still in use."
    )
    assert listed() == set()


def test_a_list_that_cannot_be_loaded_says_so_until_one_is(altered, tmp_path):
    load(SDN)
    before = listed()
    broken = altered("</sdnList>", "")

    told = refused(broken)

    kept = SanctionList.objects.get()
    assert told.startswith("altered.xml is not the OFAC list: it is no complete XML: no element")
    assert told.startswith(kept.error.rstrip("."))
    assert (listed(), kept.published_on) == (before, date(2026, 11, 20))
    since = kept.failing_since
    assert "No such file" in refused(tmp_path / "gone.xml")
    kept.refresh_from_db()
    assert (kept.failing_since, "No such file" in kept.error) == (since, True)
    load(SDN)
    kept.refresh_from_db()
    assert (kept.failing_since, kept.error) == (None, "")


def test_a_failure_is_noted_for_a_list_that_never_was_loaded(tmp_path):
    refused(tmp_path / "gone.xml")

    kept = SanctionList.objects.get()
    assert (kept.imported_at, kept.published_on, kept.sha256, kept.entries) == (None, None, "", 0)


def test_nothing_changes_when_the_database_refuses_halfway(altered, monkeypatch):
    load(SDN)
    before = listed()
    monkeypatch.setattr(services, "BATCH", 1)
    statements = []

    def second_insert_fails(execute, sql, *arguments):
        if sql.startswith('INSERT INTO "reviews_listedname"'):
            statements.append(sql)
            if len(statements) == 2:
                raise psycopg.OperationalError("the connection was lost")
        return execute(sql, *arguments)

    with connection.execute_wrapper(second_insert_fails), pytest.raises(psycopg.OperationalError):
        load(altered("GREY PELICAN", "GREY HERON"))

    assert listed() == before


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"imported_at": timezone.now()}, "list_is_loaded_or_not"),
        ({"sha256": "0"}, "list_is_loaded_or_not"),
        ({"error": "Gone."}, "list_that_fails_says_why"),
        ({"failing_since": timezone.now()}, "list_that_fails_says_why"),
    ],
)
def test_the_database_takes_no_list_that_is_half_loaded(changes, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        SanctionList.objects.create(source="EU", **changes)


def clear(**changes):
    fields = {"name": "Anna Grimbaldov", "source": "OFAC", "uid": "90001", "reason": " Her aunt. "}
    return clear_pair(**fields | {"by": UserFactory()} | changes)


def test_a_cleared_pair_is_remembered_once_without_the_name():
    person = UserFactory()

    pair, again = clear(by=person), clear(name="GRIMBALDOV, Anna", reason="Again.")

    assert pair == again
    assert (pair.cleared_by, pair.reason, str(pair)) == (person, "Her aunt.", "not OFAC 90001")
    assert pair.cleared_at <= datetime.now(UTC)
    row = str(ClearedPair.objects.values().get()).casefold()
    assert "anna" not in row
    assert "grimbaldov" not in row


def test_the_digest_of_a_name_is_of_this_instance(settings):
    key = ClearedPair.key_of("Anna Grimbaldov")

    settings.LEDGER_KEY_SECRET = "another-secret"

    assert key != ClearedPair.key_of("Anna Grimbaldov")


def test_other_names_lists_and_parties_are_other_pairs():
    clear()
    clear(name="Anna Maria Grimbaldov")
    clear(source="EU")
    clear(source="YENTE")
    clear(uid="90002")

    assert ClearedPair.objects.count() == 5


@pytest.mark.parametrize("reason", ["", " \n"])
def test_nobody_is_cleared_without_a_reason(reason):
    with pytest.raises(ReasonMissing, match="clearing a name needs a reason"):
        clear(reason=reason)

    assert ClearedPair.objects.count() == 0


def test_the_database_takes_no_clearing_without_a_reason():
    with pytest.raises(IntegrityError, match="cleared_pair_has_a_reason"), transaction.atomic():
        ClearedPair.objects.create(
            name_key="0", source="EU", uid="1", cleared_by=UserFactory(), reason=""
        )


CHANGES = [
    "UPDATE reviews_clearedpair SET reason = 'Other.'",
    "DELETE FROM reviews_clearedpair",
    "TRUNCATE reviews_clearedpair",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.django_db(transaction=True)
def test_what_people_cleared_stays(application_connection, owner_connection, change):
    clear()

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application_connection().execute(change)
    with pytest.raises(psycopg.errors.RestrictViolation, match="what was decided and found stays"):
        owner_connection.execute(change)

    assert ClearedPair.objects.get().reason == "Her aunt."


RIGHTS = [
    ("reviews_clearedpair", "INSERT"),
    ("reviews_clearedpair", "SELECT"),
    ("reviews_listedname", "DELETE"),
    ("reviews_listedname", "INSERT"),
    ("reviews_listedname", "SELECT"),
    ("reviews_sanctionlist", "INSERT"),
    ("reviews_sanctionlist", "SELECT"),
    ("reviews_sanctionlist", "UPDATE"),
]


def test_the_application_has_these_rights_and_no_more():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, p.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS p "
            "WHERE c.relname = ANY (%s) AND p.grantee = current_user::regrole ORDER BY 1, 2",
            [["reviews_clearedpair", "reviews_listedname", "reviews_sanctionlist"]],
        )

        assert cursor.fetchall() == RIGHTS
