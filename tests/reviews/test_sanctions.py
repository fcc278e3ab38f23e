"""Screening a name: what is alike is a hit for people, and a list that is missing is an error."""

import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from reviews.models.sanctions import SanctionList
from reviews.sanctions import MATCHES_MAX, SanctionsMatch, SanctionsResult, screen_name
from reviews.services.sanctions import clear_pair, load_list
from reviews.yente import YenteAnswer, YenteMatch, ask_yente
from tests.factories import UserFactory
from tests.time_stamper import send, serving

FILES = Path(__file__).resolve().parents[1] / "data" / "sanctions"
LISTS = {"OFAC": "sdn.xml", "EU": "eu.xml", "UN": "un.xml", "UK": "uk.xml"}

pytestmark = pytest.mark.django_db


def load(source):
    return load_list(source=source, paths=[FILES / LISTS[source]])


@pytest.fixture
def lists(settings):
    """All four lists, loaded and configured."""
    settings.SANCTION_LISTS = list(LISTS)
    return {source: load(source) for source in LISTS}


def last_loaded(source, **ago):
    SanctionList.objects.filter(pk=source).update(imported_at=timezone.now() - timedelta(**ago))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Waldemar Grimbaldow", ("OFAC", "90001", "Waldemar Ottokar GRIMBALDOV", 90)),
        ("Ferdusa Kalimantova", ("EU", "EU.9001.11", "Ferdusa Kalimantova", 100)),
        ("Barnabas Quimbari", ("UN", "TDi.001", "BARNABAS EL QUIMBARI", 98)),
        ("برناباس القمباري", ("UN", "TDi.001", "برناباس القمباري", 100)),
        ("Leopoldina Vanterpool", ("UK", "TID0001", "Леопольдина Вантерпул", 95)),
    ],
)
def test_a_name_that_is_alike_is_a_hit_with_its_reasons(lists, name, found):
    result = screen_name(name)

    [match] = result.matches
    assert (result.outcome, result.score, result.problems) == ("hit", found[-1], ())
    assert (match.list, match.uid, match.name, match.score) == found
    assert "is the same" in match.explanation or "sounds like" in match.explanation
    assert not match.is_cleared


def test_a_result_names_the_versions_that_were_used(lists):
    versions = {version.list: version for version in screen_name("Anna Schmidt").lists}

    assert list(versions) == list(LISTS)
    for source, kept in lists.items():
        found = versions[source]
        assert found.published_on == kept.published_on
        assert (found.imported_at, found.sha256) == (kept.imported_at, kept.sha256)


@pytest.mark.parametrize("name", ["Anna Schmidt", "Waldemar", "Ferdusa Schmidt", "Grimbaldov"])
def test_a_name_that_is_not_alike_passes(lists, name):
    result = screen_name(name)

    assert (result.outcome, result.score, result.matches) == ("pass", 0, ())


def test_a_weak_alias_of_one_word_is_no_hit(lists, settings):
    assert screen_name("Heron").outcome == "pass"
    assert screen_name("Barno").outcome == "pass"
    # Two words tell more.
    assert screen_name("Aunt Kali").outcome == "hit"


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("Waldemar Grimbaldov", "person", "hit"),
        ("Waldemar Grimbaldov", "organisation", "pass"),
        ("Obsidian Ferry Company", "organisation", "hit"),
        ("Obsidian Ferry Company", "person", "pass"),
        ("Grey Pelican", "organisation", "hit"),
        ("Grey Pelican", "person", "pass"),
        ("Grey Pelican", "any", "hit"),
    ],
)
def test_people_are_compared_with_people(lists, name, kind, outcome):
    assert screen_name(name, kind=kind).outcome == outcome


def test_of_all_names_of_a_party_the_most_alike_counts(lists):
    [match] = screen_name("Vladimar Grimbaldov").matches

    assert (match.name, match.score) == ("Vladimar GRIMBALD", 90)


def test_without_any_list_it_was_not_run():
    assert screen_name("Waldemar Grimbaldov") == SanctionsResult("not_run")


@pytest.mark.parametrize("name", ["", " \u200b", "…"])
def test_without_a_name_it_was_not_run(lists, name):
    assert screen_name(name).outcome == "not_run"


def test_a_list_that_was_never_loaded_is_an_error(settings):
    settings.SANCTION_LISTS = ["EU", "UN"]
    load("EU")

    result = screen_name("Anna Schmidt")

    assert result.outcome == "error"
    assert result.problems == ("The list UN was never loaded (manage.py load_sanctions).",)
    assert [version.list for version in result.lists] == ["EU"]


def test_a_list_that_only_failed_was_never_loaded(settings, tmp_path):
    settings.SANCTION_LISTS = ["EU"]
    SanctionList.objects.create(source="EU", failing_since=timezone.now(), error="Gone.")

    assert screen_name("Anna Schmidt").outcome == "error"


@pytest.mark.parametrize(
    ("ago", "outcome"), [({"days": 6, "hours": 23}, "pass"), ({"days": 7, "minutes": 1}, "error")]
)
def test_a_list_that_was_not_loaded_for_days_is_an_error(lists, ago, outcome):
    last_loaded("UN", **ago)

    result = screen_name("Anna Schmidt")

    assert result.outcome == outcome
    for told in result.problems:
        assert told.startswith("The list UN was last loaded on ")
        assert told.endswith(", more than 7 days ago (manage.py load_sanctions).")


def test_a_list_that_is_too_old_is_searched_all_the_same(lists):
    last_loaded("OFAC", days=30)

    result = screen_name("Waldemar Grimbaldov")

    assert (result.outcome, len(result.problems)) == ("hit", 1)


def test_lists_that_are_not_configured_are_not_searched(lists, settings):
    settings.SANCTION_LISTS = ["EU"]

    assert screen_name("Waldemar Grimbaldov").outcome == "pass"
    assert screen_name("Ferdusa Kalimantova").outcome == "hit"


def test_what_was_loaded_since_counts_at_once(settings, tmp_path):
    settings.SANCTION_LISTS = ["OFAC"]
    load("OFAC")
    assert screen_name("Waldemar Grimbaldov").outcome == "hit"
    changed = tmp_path / "sdn.xml"
    changed.write_text((FILES / "sdn.xml").read_text().replace("GRIMBALDOV", "QUILLFEATHER"))

    load_list(source="OFAC", paths=[changed])

    assert screen_name("Ottokar Grimbaldov").outcome == "pass"
    assert screen_name("Waldemar Quillfeather").outcome == "hit"


def clear(name, source, uid):
    return clear_pair(name=name, source=source, uid=uid, by=UserFactory(), reason="Another one.")


def test_who_was_cleared_is_shown_and_no_hit_any_more(lists):
    clear("Waldemar Grimbaldov", "OFAC", "90001")

    result = screen_name("GRIMBALDOV, Waldemar")

    [match] = result.matches
    assert (result.outcome, result.score) == ("pass", 0)
    assert (match.uid, match.is_cleared) == ("90001", True)
    # Neither another name, nor another party.
    assert screen_name("Waldemar Ottokar Grimbaldov").outcome == "hit"
    clear("Ferdusa Kalimantova", "OFAC", "90001")
    assert screen_name("Ferdusa Kalimantova").outcome == "hit"


def test_who_is_cleared_stands_behind_who_is_not(lists):
    name = "Waldemar Ottokar Grimbaldov Ferdusa Kalimantova"
    clear(name, "EU", "EU.9001.11")

    result = screen_name(name)

    assert [(match.list, match.is_cleared) for match in result.matches] == [
        ("OFAC", False),
        ("EU", True),
    ]
    assert result.score == result.matches[0].score


class Yente:
    """A yente of the tests' own: what it answers, and what it was asked."""

    def __init__(self):
        self.answer, self.questions = b"", []

    def handle(self, handler, body):
        """Keep the question, and answer."""
        kept = (handler.path, handler.headers["Content-Type"], json.loads(body))
        self.questions.append(kept)
        is_raw = isinstance(self.answer, bytes)
        send(handler, self.answer if is_raw else json.dumps(self.answer).encode())


@pytest.fixture(scope="module")
def served():
    """Serve one yente to all tests of this file."""
    yente = Yente()
    with serving(yente.handle) as url:
        yield yente, url.partition("/tsr")[0]


@pytest.fixture
def yente(served, settings):
    """Return what sets the answer of a yente, and has it asked; it returns the questions."""

    def set_answer(answer):
        yente, settings.YENTE_URL = served
        yente.answer, yente.questions = answer, []
        return yente.questions

    return set_answer


def answering(*results, **response):
    return {"responses": {"name": {"status": 200, "results": list(results), **response}}}


def result_of(score, **fields):
    known = {"id": "NK-1", "caption": "Waldemar Grimbaldov", "schema": "Person"}
    return {**known, "score": score, "match": True, "datasets": ["tide", "lantern"], **fields}


def test_yente_is_not_asked_where_none_is_set():
    assert ask_yente("Anna Schmidt") is None


@pytest.mark.parametrize(
    ("kind", "schema"),
    [("person", "Person"), ("organisation", "Organization"), ("any", "LegalEntity")],
)
def test_yente_is_asked_in_its_own_words(yente, kind, schema):
    questions = yente(answering())

    answer = ask_yente("Ferdusa Кали", kind=kind)

    query = {"schema": schema, "properties": {"name": ["Ferdusa Кали"]}}
    assert answer == YenteAnswer()
    assert questions == [
        ("/match/default", "application/json", {"queries": {"name": query}}),
    ]


def test_what_yente_finds_alike_is_a_hit(yente):
    yente(answering(result_of(0.849), result_of(0.85, id="NK-2"), result_of(1, id="NK-3")))

    result = screen_name("Waldemar Grimbaldov", asked=ask_yente("Waldemar Grimbaldov"))

    assert (result.outcome, result.score, result.lists) == ("hit", 100, ())
    assert [(match.uid, match.score) for match in result.matches] == [("NK-3", 100), ("NK-2", 85)]
    assert result.matches[1] == SanctionsMatch(
        "YENTE", "NK-2", "Waldemar Grimbaldov", 85, "yente finds it in tide, lantern", False
    )


def test_who_yente_finds_can_be_cleared(settings):
    settings.YENTE_URL = "http://yente.example"
    asked = YenteAnswer((YenteMatch("NK-1", "Waldemar Grimbaldov", 90, ()),))
    clear("W Grimbaldov", "YENTE", "NK-1")

    result = screen_name("W Grimbaldov", asked=asked)

    assert result.outcome == "pass"
    assert result.matches[0].explanation == "yente finds it in its data"


def test_lists_and_yente_are_told_together(lists, yente):
    yente(answering(result_of(0.9)))

    result = screen_name("Waldemar Grimbaldov", asked=ask_yente("Waldemar Grimbaldov"))

    assert [match.list for match in result.matches] == ["OFAC", "YENTE"]


def test_a_yente_that_was_not_asked_is_an_error(lists, settings):
    settings.YENTE_URL = "http://yente.example"

    result = screen_name("Anna Schmidt")

    assert (result.outcome, result.problems) == ("error", ("yente was not asked.",))


def test_a_yente_that_is_away_is_an_error(lists, settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.YENTE_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

    result = screen_name("Anna Schmidt", asked=ask_yente("Anna Schmidt"))

    assert result.outcome == "error"
    assert result.problems[0].startswith("yente was not available: http://127.0.0.1:")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        {},
        {"responses": {}},
        {"responses": {"name": None}},
        {"responses": {"name": {"status": 200}}},
        answering(status=500),
        answering(result_of("high")),
        answering(result_of(None)),
        b'{"responses":{"name":{"results":[{"id":"1","caption":"A","score":1e999}]}}}',
        b'{"responses":{"name":{"results":[{"id":"1","caption":"A","score":NaN}]}}}',
        answering({"id": "NK-1", "score": 1}),
        answering(None),
        answering(result_of(1, datasets=3)),
    ],
)
def test_an_answer_of_yente_that_cannot_be_read_is_an_error(yente, answer):
    yente(answer)

    result = screen_name("Anna Schmidt", asked=ask_yente("Anna Schmidt"))

    assert result.outcome == "error"
    assert result.problems[0].startswith("yente answered what cannot be read: ")


def test_no_more_matches_are_told_than_people_read(yente):
    many = [result_of(0.9, id=f"NK-{number}") for number in range(MATCHES_MAX + 5)]
    yente(answering(*many))

    result = screen_name("Anna Schmidt", asked=ask_yente("Anna Schmidt"))

    assert len(result.matches) == MATCHES_MAX
