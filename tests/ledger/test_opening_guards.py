"""Personal details open their entries, stay as they are, and go only on the record; by raw SQL."""

from hashlib import sha256

import pytest

from tests.ledger.pen import GENESIS, Pen

FALSE = ("23514", "entry_erases_what_was_committed")
RESTRICTED, FORBIDDEN, CHECKED, UNIQUE, FOREIGN = "23001", "42501", "23514", "23505", "23503"
SALT = "ab" * 32


def commitment(field: str, value: str) -> str:
    content = b"almoner-commit/v1\n" + bytes.fromhex(SALT) + f'{{"{field}":"{value}"}}'.encode()
    return "sha256:" + sha256(content).hexdigest()


def opening(pen: Pen, **changes) -> str:
    said = {"sequence": 3, "field": "email", "value": "ann@example.org", "salt": SALT, **changes}
    return (
        "INSERT INTO ledger_opening (organisation_id, book, sequence, field, value, salt) VALUES "
        f"('{pen.organisation}', 'public', {said['sequence']}, '{said['field']}', "
        f"'{said['value']}', '\\x{said['salt']}')"
    )


@pytest.fixture
def committed(pen) -> Pen:
    """A book whose entry 3 commits to an e-mail address and a name, which are kept."""
    said = {"commitment_email": commitment("email", "ann@example.org"),
            "commitment_name": commitment("name", "Ann")}  # fmt: skip
    pen.write(pen.row(metadata={"donation": "don_1", **said}))
    pen.execute(opening(pen))
    pen.execute(opening(pen, field="name", value="Ann"))
    return pen


def erasure(pen: Pen, sequence: int = 3, **changes):
    row = {**GENESIS, "operation": "ERASURE", "nonce": f"erasure:{sequence}",
           "metadata": {"erases": sequence, "donation": "don_1"}}  # fmt: skip
    return pen.row(**{**row, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "bob@example.org"},
        {"salt": "cd" * 32},
        {"field": "name"},
        {"field": "phone"},
        {"sequence": 2},
        {"sequence": 9},
    ],
    ids=str,
)
def test_what_does_not_open_its_entry_is_refused(pen, changes):
    pen.write(pen.row(metadata={"commitment_email": commitment("email", "ann@example.org")}))

    assert pen.refused_statement(opening(pen, **changes))[0] == RESTRICTED


@pytest.mark.parametrize(
    ("field", "value"),
    [("Email", "x"), ("email", ""), ("email", "a\u0085b"), ("email", "e\u0301")],
)
def test_a_detail_has_the_form_of_a_line(pen, field, value):
    pen.write(pen.row(metadata={"commitment_email": commitment("email", value)}))

    assert pen.refused_statement(opening(pen, field=field, value=value))[0] in {
        CHECKED,
        RESTRICTED,
    }


def test_a_short_salt_is_refused(pen):
    assert pen.refused_statement(opening(pen, salt="ab"))[0] in {CHECKED, RESTRICTED}


def test_a_detail_that_needs_escapes_opens_its_entry_too(pen):
    name = 'Ann "the\\great" Ö'
    written = name.replace("\\", "\\\\").replace('"', '\\"')
    pen.write(pen.row(metadata={"commitment_name": commitment("name", written)}))

    pen.execute(opening(pen, field="name", value=name))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_opening SET value = 'bob@example.org'",
        "UPDATE ledger_opening SET salt = salt",
        "DELETE FROM ledger_opening",
        "TRUNCATE ledger_opening",
    ],
)
def test_details_are_neither_changed_nor_deleted(committed, statement):
    code, _ = committed.refused_statement(statement)

    assert code in {RESTRICTED, FORBIDDEN}


def test_they_go_once_the_book_says_so_and_do_not_come_back(committed):
    committed.write(erasure(committed))

    committed.execute("DELETE FROM ledger_opening WHERE sequence = 3")

    assert committed.refused_statement(opening(committed))[0] == RESTRICTED


def test_an_erasure_lets_no_other_details_go(committed):
    said = {"commitment_email": commitment("email", "ann@example.org")}
    committed.write(committed.row(metadata=said))
    committed.execute(opening(committed, sequence=4))
    committed.write(erasure(committed))

    code, _ = committed.refused_statement("DELETE FROM ledger_opening WHERE sequence = 4")

    assert code == RESTRICTED


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 2},
        {"sequence": 4},
        {"sequence": 5},
        {"nonce": "erasure"},
        {"nonce": "erasure:03"},
        {"metadata": {}},
        {"metadata": {"erases": "3"}},
        {"metadata": {"erases": True}},
        {"metadata": {"erases": {"a": 3}}},
        {"metadata": {"erases": 3, "more": 1}},
        {"debit": "genesis:end", "credit": "genesis"},
        {"currency": "EUR", "debit": "stripe", "credit": "held"},
    ],
    ids=str,
)
def test_an_erasure_names_an_entry_that_commits_to_something(committed, changes):
    assert committed.refused(erasure(committed, **changes)) == FALSE


def test_an_entry_is_erased_once(committed):
    committed.write(erasure(committed))

    assert committed.refused(erasure(committed)) == (UNIQUE, "entry_nonce_is_new")
