"""Balances and histories over the API, for every owner that there can be."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger.line import LineMalformed, check_text
from tests.credits.conftest import URL
from tests.factories import OrganisationFactory, gift_entries

ODD = [
    "a/b", "a//b", "/", "a/", "entries", "a/entries", "/entries", "entries/entries", ".", "..",
    "../..", "a%2Fb", "%", "%41", "a b", " ", "  a ", "?", "a?b=c", "#", "a#b", "&owner_id=x", "+",
    "a+b", "*", "owner:ann", "é", "日本語", "\N{GRINNING FACE}", "\u202eabc", "x" * 128, ";", "\\",
    '"', "'", "<script>", "ann\u00a0", "\ufffd", "\u2028",
]  # fmt: skip


def test_who_never_had_anything_has_nothing(program):
    response = program.client.get(f"{URL}/nobody")

    assert response.status_code == 200
    assert response.json() == {"owner_id": "nobody", "balance": 0, "unit": "CREDIT"}
    assert response["Cache-Control"] == "no-store"
    assert program.history("nobody") == []


@pytest.mark.parametrize("owner_id", ODD)
def test_every_owner_can_be_asked_for(program, owner_id):
    program.post("someone", "CREDIT_ADD", "n1")
    posted = program.post(owner_id, "CREDIT_ADD", "n2", amount=3)
    assert posted.status_code == 201
    assert posted.json()["owner_id"] == owner_id

    balance = program.client.get(URL, {"owner_id": owner_id}).json()
    history = program.client.get("/v1/ledger-entries", {"owner_id": owner_id}).json()

    assert balance == {"owner_id": owner_id, "balance": 3, "unit": "CREDIT"}
    assert [row["nonce"] for row in history["results"]] == ["n2"]
    assert [row["nonce"] for row in program.history(owner_id)] == ["n2"]
    if not owner_id.endswith("/entries"):
        assert program.balance(owner_id) == 3


def test_entries_at_the_end_of_a_path_means_the_history(program):
    program.post("a", "CREDIT_ADD", "n1", amount=1)
    program.post("a/entries", "CREDIT_ADD", "n2", amount=2)

    history = program.client.get(f"{URL}/a%2Fentries").json()

    assert [row["nonce"] for row in history["results"]] == ["n1"]
    assert program.client.get(URL, {"owner_id": "a/entries"}).json()["balance"] == 2
    assert program.client.get(f"{URL}/entries").json()["owner_id"] == "entries"


@pytest.mark.parametrize(
    ("owner_id", "code"),
    [
        ("x" * 129, "max_length"),
        ("a\nb", "ill_formed"),
        ("\x00", None),
        ("e\u0301", "ill_formed"),
    ],
)
def test_an_id_that_no_owner_can_have_is_refused(program, owner_id, code):
    for response in (
        program.client.get(f"{URL}/{quote(owner_id, safe='')}"),
        program.client.get(f"{URL}/{quote(owner_id, safe='')}/entries"),
        program.client.get(URL, {"owner_id": owner_id}),
        program.client.get("/v1/ledger-entries", {"owner_id": owner_id}),
    ):
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"
        assert response["Cache-Control"] == "no-store"
        [error] = response.json()["errors"]
        assert error["field"] == "owner_id"
        assert code in (None, error["code"])


@pytest.mark.parametrize("path", [URL, "/v1/ledger-entries", f"{URL}?owner_id="])
def test_a_question_about_nobody_is_refused(program, path):
    response = program.client.get(path)

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "owner_id"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (f"{URL}/%FF", "The URL is not UTF-8, or the id looks so: ask with ?owner_id=."),
        (f"{URL}?owner_id=%FF", "The URL is not UTF-8."),
        (f"{URL}/%C3/entries", "The URL is not UTF-8, or the id looks so: ask with ?owner_id=."),
    ],
)
def test_a_url_that_is_not_utf_8_is_nobodys(program, path, detail):
    response = program.client.get(path)

    assert response.status_code == 400
    assert response.json()["code"] == "malformed_request"
    assert response.json()["detail"] == detail


def test_the_history_is_newest_first_with_the_balance_after_each(program):
    program.post("ann", "CREDIT_ADD", "n1", amount=10)
    program.post("bob", "CREDIT_ADD", "n2", amount=50)
    program.post("ann", "CONTENT_CREATION", "n3")
    program.post("ann", "CONTENT_ACCESS", "n4")
    posted = program.post("ann", "CREDIT_SPEND", "n5").json()

    history = program.history("ann")

    assert [(row["nonce"], row["amount"], row["balance"]) for row in history] == [
        ("n5", -1, 4),
        ("n4", 0, 5),
        ("n3", -5, 5),
        ("n1", 10, 10),
    ]
    newest = history[0]
    assert newest.pop("occurred_at").endswith("Z")
    assert newest.pop("recorded_at").endswith("Z")
    assert newest == {
        "sequence": posted["sequence"],
        "operation": "CREDIT_SPEND",
        "amount": -1,
        "balance": 4,
        "nonce": "n5",
        "metadata": {},
        "entry_hash": posted["entry_hash"],
    }


def test_the_history_is_paged_both_ways_with_right_balances(program):
    for number in range(1, 8):
        program.post("ann/b", "CREDIT_ADD", f"n{number}", amount=number)
        program.post("bob", "CREDIT_ADD", f"m{number}")
    url, pages = f"{URL}/ann%2Fb/entries?page_size=3", []
    while url:
        pages.append(program.client.get(url).json())
        url = pages[-1]["next"]

    back = program.client.get(pages[-1]["previous"]).json()

    assert [[row["balance"] for row in page["results"]] for page in pages] == [
        [28, 21, 15],
        [10, 6, 3],
        [1],
    ]
    assert back["results"] == pages[1]["results"]
    assert pages[0]["previous"] is None


def test_a_balance_of_then(program):
    program.post("ann", "CREDIT_ADD", "n1", amount=10)
    program.post("ann", "CREDIT_SPEND", "n2", amount=-4)
    program.post("bob", "CREDIT_ADD", "n3")

    balances = [program.balance("ann", at_sequence=sequence) for sequence in range(4)]

    assert balances == [0, 10, 6, 6]
    assert program.client.get(URL, {"owner_id": "ann", "at_sequence": 1}).json()["balance"] == 10
    assert [row["nonce"] for row in program.history("ann", at_sequence=1)] == ["n1"]
    assert program.history("ann", at_sequence=1)[0]["balance"] == 10


def test_a_balance_of_a_moment(program):
    program.post("ann", "CREDIT_ADD", "n1", amount=10)
    [row] = program.history("ann")

    assert program.balance("ann", at=row["recorded_at"]) == 10
    assert program.balance("ann", at="2999-01-01") == 10
    assert [row["balance"] for row in program.history("ann", at="2999-01-01")] == [10]


@pytest.mark.parametrize(
    "when",
    [{"at_sequence": "2"}, {"at_sequence": "999999999999999"}, {"at": "2020-01-01"}],
)
@pytest.mark.parametrize("has_book", [True, False])
def test_a_balance_of_no_time_of_the_book_is_not_known(
    program, program_of, organisation, when, has_book
):
    other = program_of(OrganisationFactory())
    for nonce in ("n1", "n2", "n3"):
        other.post("ann", "CREDIT_ADD", nonce)
    gift_entries(organisation, 3)
    if has_book:
        program.post("ann", "CREDIT_ADD", "n1")

    response = program.client.get(f"{URL}/ann", when)

    assert response.status_code == 400
    assert response.json()["code"] == "not_yet_there"


@pytest.mark.parametrize("sequence", ["", "-1", "x", "1.0", "01", "\u0663", "9" * 40, "\x00"])
def test_an_odd_sequence_is_refused(program, sequence):
    program.post("ann", "CREDIT_ADD", "n1")

    response = program.client.get(f"{URL}/ann", {"at_sequence": sequence})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "at_sequence"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_is_changed_or_deleted(program, method):
    for path in (URL, f"{URL}/ann", f"{URL}/ann/entries"):
        assert getattr(program.client, method)(path).status_code == 405


patient = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@patient
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=130))
@example("é" * 128)
def test_any_owner_is_either_refused_everywhere_or_served_everywhere(program, owner_id):
    is_good = len(owner_id) <= 128
    try:
        check_text(owner_id, "it")
    except LineMalformed:
        is_good = False

    posted = program.post(owner_id, "CREDIT_ADD", f"n:{owner_id[:200]}", amount=2)
    shown = program.client.get(URL, {"owner_id": owner_id})

    assert (posted.status_code in (200, 201)) is is_good
    assert (shown.status_code == 200) is is_good
    if is_good:
        assert shown.json() == {"owner_id": owner_id, "balance": 2, "unit": "CREDIT"}


@patient
@given(st.binary(max_size=60))
def test_any_path(program, raw):
    for suffix in ("", "/entries"):
        response = program.client.get(f"{URL}/{quote(raw)}{suffix}")

        assert response.status_code in (200, 400, 404)
        if response.status_code != 200:
            assert response["Content-Type"] == "application/problem+json"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@patient
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "owner_id": st.text() | anything,
            "operation": st.sampled_from(["CREDIT_ADD", "CREDIT_SPEND"]) | anything,
            "amount": st.integers(-20, 20) | anything,
            "nonce": st.text() | anything,
        },
    )
)
def test_any_operation(program, body):
    response = program.send(body)

    assert response.status_code in (200, 201, 400, 409), response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
