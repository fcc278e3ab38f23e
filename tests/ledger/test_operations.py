"""Operations and applications: what is wrong with them is said before anything is written."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from credits.operations import CREDITS, CreditOperation
from ledger.errors import DraftRefused, UnknownOperation
from ledger.models import PUBLIC, Entry
from ledger.money import MONEY
from ledger.operations import (
    BOOK_FLOWS,
    ISSUE,
    NOTE,
    OWNERS,
    BaseLedgerOperation,
    BookOperation,
    Flow,
    MoneyOperation,
    application_of,
    register,
    registered,
)
from ledger.services import Draft, append
from ledger.services.books import open_book
from tests.factories import OrganisationFactory

ROOT = Path(__file__).resolve().parents[2]
SHARED = {
    "DAILY_REWARD": "DAILY_REWARD",
    "SIGNUP_CREDIT": "SIGNUP_CREDIT",
    "CREDIT_SPEND": "CREDIT_SPEND",
    "CREDIT_ADD": "CREDIT_ADD",
}


def defined(members):
    """Define an enum of operations."""
    return BaseLedgerOperation("SampleOperation", members)


# Enums


def test_an_enum_with_the_shared_operations_and_more_is_defined():
    operations = defined({**SHARED, "GAME_PLAYED": "GAME_PLAYED"})

    assert operations.GAME_PLAYED == "GAME_PLAYED"
    assert operations.required == tuple(SHARED)


@pytest.mark.parametrize("name", SHARED)
def test_an_enum_that_lacks_a_shared_operation_cannot_be_defined(name):
    members = {key: value for key, value in SHARED.items() if key != name}

    with pytest.raises(TypeError, match=f"^SampleOperation cannot .* it lacks {name}\\.$"):
        defined(members)


def test_everything_that_is_missing_is_named():
    with pytest.raises(TypeError, match="it lacks SIGNUP_CREDIT, CREDIT_SPEND, CREDIT_ADD"):

        class Sample(BaseLedgerOperation):
            DAILY_REWARD = "DAILY_REWARD"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("GIFT", "DAILY_REWARD", "GIFT is DAILY_REWARD once more"),
        ("GIFT", "GIVEN", 'GIFT is not written GIFT = "GIFT" in capitals'),
        ("gift", "gift", "gift is not written"),
        ("_GIFT", "_GIFT", None),
        ("GI_FT2", "GI_FT2", ""),
        ("2GIFT", "2GIFT", "2GIFT is not written"),
        ("ÉTÉ", "ÉTÉ", "ÉTÉ is not written"),
        ("X" * 48, "X" * 48, ""),
        ("X" * 49, "X" * 49, "is not written"),
        ("GIFT", "", "GIFT is not written"),
        ("GIFT", "GIFT\n", "GIFT is not written"),
    ],
)
def test_a_name_is_its_value_in_capitals(name, value, problem):
    if problem == "":
        assert name in defined({**SHARED, name: value}).__members__
        return
    with pytest.raises(TypeError, match=problem):
        defined({**SHARED, name: value})


def test_all_that_is_wrong_with_an_enum_is_told_at_once():
    with pytest.raises(TypeError) as refusal:
        defined({"CREDIT_ADD": "CREDIT_ADD", "CREDIT_SPEND": "CREDIT_SPEND", "gift": "gift"})

    assert str(refusal.value) == (
        "SampleOperation cannot be an enum of operations: it lacks DAILY_REWARD, SIGNUP_CREDIT; "
        'gift is not written gift = "gift" in capitals.'
    )


def test_a_value_is_a_text():
    with pytest.raises(TypeError):
        defined({**SHARED, "GIFT": 1})


def test_a_book_of_another_kind_requires_what_it_declares():
    class Shop(BaseLedgerOperation, required=("SOLD",)):
        SOLD = "SOLD"

    assert list(Shop) == ["SOLD"]
    with pytest.raises(TypeError, match="it lacks SOLD"):

        class Closed(BaseLedgerOperation, required=("SOLD",)):
            BOUGHT = "BOUGHT"


def test_no_enum_adds_to_another():
    with pytest.raises(TypeError):

        class More(CreditOperation):
            GIFT = "GIFT"


# Flows


@pytest.mark.parametrize(
    ("flow", "debit", "credit", "expected"),
    [
        (Flow(("stripe",), ("fund:*",)), "stripe", "fund:a", True),
        (Flow(("stripe",), ("fund:*",)), "fund:a", "stripe", False),
        (Flow(("stripe",), ("fund:*",)), "stripe", "fund:", False),
        (Flow(("stripe",), ("fund:*",)), "stripe", "fund", False),
        (Flow(("stripe",), ("fund:*",)), "stripe", "funds:a", False),
        (Flow(("stripe",), ("fund:a",)), "stripe", "fund:a", True),
        (Flow(("stripe",), ("fund:a",)), "stripe", "fund:b", False),
        (Flow(("stripe", "held"), ("fund:*", "held")), "held", "held", True),
        (Flow(("*",), ("*",)), "anything", "what:ever", True),
        (Flow(("owner:*",), ("issued",)), "owner:*", "issued", True),
        (Flow(("owner:*",), ("issued",)), "owner:a:b", "issued", True),
        (Flow(("*:x",), ("issued",)), "*:x", "issued", True),
    ],
)
def test_a_flow_allows_what_fits_its_patterns(flow, debit, credit, expected):
    assert flow.allows(debit, credit) is expected


def test_a_flow_reads_as_a_sentence():
    flow = Flow(("stripe",), ("fund:*", "held"))

    assert str(flow) == "debits stripe and credits fund:* or held"
    assert str(flow.reverse) == "debits fund:* or held and credits stripe"
    assert flow.reverse == Flow(("fund:*", "held"), ("stripe",))


# Applications

SPENDING = {"CREDIT_SPEND": (ISSUE.reverse,)}


def sample(**changes):
    """Return the application `credits` with something else in it, for a book of its own."""
    return replace(CREDITS, **{"book": "sample", **changes})


def amounts(**changes):
    """Return amounts with others among them; None leaves one out."""
    changed = {**CREDITS.amounts, **changes}
    return {name: amount for name, amount in changed.items() if amount is not None}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"book": "Sample"}, "'Sample' is no name for a book"),
        ({"book": ""}, "'' is no name for a book"),
        ({"book": "x" * 33}, "is no name for a book"),
        ({"amounts": {}}, "CREDIT_ADD has neither an amount nor flows"),
        ({"amounts": amounts(CONTENT_ACCESS=None)}, "CONTENT_ACCESS has neither an amount nor"),
        ({"amounts": amounts(NOPE=1)}, "NOPE is configured and is no operation of CreditOperation"),
        ({"flows": {"NOPE": (ISSUE,)}}, "NOPE is configured and is no operation"),
        ({"amounts": amounts(GENESIS=0)}, "GENESIS is the ledger's own"),
        ({"flows": {"CORRECTION": (NOTE,)}}, "CORRECTION is the ledger's own"),
        ({"flows": {"CREDIT_SPEND": ()}}, "CREDIT_SPEND lacks accounts"),
        ({"flows": {"CREDIT_SPEND": (Flow((), ("issued",)),)}}, "CREDIT_SPEND lacks accounts"),
        (
            {"flows": {"CREDIT_SPEND": (Flow((OWNERS,), ("Is sued",)),)}},
            "CREDIT_SPEND: 'Is sued' is neither an account nor a pattern",
        ),
        (
            {"amounts": {}, "flows": dict.fromkeys(CreditOperation, (ISSUE,))},
            "CREDIT_ADD needs a whole number",
        ),
        ({"amounts": amounts(CREDIT_SPEND=1)}, "CREDIT_SPEND must be below zero"),
        ({"amounts": amounts(CREDIT_SPEND=0)}, "CREDIT_SPEND must be below zero"),
        ({"amounts": amounts(CREDIT_ADD=-1)}, "CREDIT_ADD must be above zero"),
        ({"amounts": amounts(DAILY_REWARD=0)}, "DAILY_REWARD must be above zero"),
        ({"amounts": amounts(SIGNUP_CREDIT=-3)}, "SIGNUP_CREDIT must be above zero"),
        ({"amounts": amounts(CREDIT_ADD=True)}, "CREDIT_ADD needs a whole number"),
        ({"amounts": amounts(CREDIT_ADD=1.0)}, "CREDIT_ADD needs a whole number"),
        ({"amounts": amounts(CREDIT_ADD="1")}, "CREDIT_ADD needs a whole number"),
        ({"amounts": amounts(CREDIT_ADD=2**53)}, "CREDIT_ADD needs a whole number"),
        (
            {"amounts": amounts(CREDIT_SPEND=None), "flows": SPENDING},
            "CREDIT_SPEND needs a whole number",
        ),
        (
            {"flows": {"CREDIT_SPEND": (Flow(("issued",), (OWNERS,)),)}},
            "CREDIT_SPEND must debit owner:* alone",
        ),
        (
            {"flows": {"CREDIT_ADD": (Flow(("issued",), (OWNERS, "games")),)}},
            "CREDIT_ADD must credit owner:* alone",
        ),
        (
            {"flows": {"CONTENT_ACCESS": (Flow((OWNERS,), ("games",)),)}},
            "CONTENT_ACCESS must credit owner:* alone",
        ),
        (
            {"flows": {"CREDIT_ADD": (Flow(("issued", "games"), (OWNERS,)),)}},
            "CREDIT_ADD must credit owner:* alone",
        ),
        (
            {"flows": {"CREDIT_ADD": (Flow(("game:*",), (OWNERS,)),)}},
            "CREDIT_ADD must credit owner:* alone",
        ),
    ],
)
def test_a_wrong_declaration_is_named(changes, problem):
    application = sample(**changes)

    assert any(problem in each for each in application.problems()), list(application.problems())
    with pytest.raises(ImproperlyConfigured) as refusal:
        register(application)
    assert problem in str(refusal.value)
    assert application.book not in registered


def test_all_that_is_wrong_is_told_at_once():
    wrong = sample(
        book="Sample",
        amounts=amounts(DAILY_REWARD="1", CREDIT_SPEND=5, NOPE=1, CONTENT_ACCESS=None),
    )

    with pytest.raises(ImproperlyConfigured) as refusal:
        register(wrong)

    assert str(refusal.value) == (
        "The application Sample: 'Sample' is no name for a book: a-z, 0-9 and _, at most 32; "
        "CONTENT_ACCESS has neither an amount nor flows; "
        "NOPE is configured and is no operation of CreditOperation; "
        "DAILY_REWARD needs a whole number as its amount; "
        "CREDIT_SPEND must be below zero; "
        "CONTENT_ACCESS needs a whole number as its amount."
    )


def test_a_book_has_one_application(monkeypatch):
    monkeypatch.setitem(registered, "sample", sample())

    register(sample())
    with pytest.raises(ImproperlyConfigured) as refusal:
        register(sample(amounts=amounts(CREDIT_ADD=11)))

    said = "The application sample: another application keeps this book."
    assert str(refusal.value) == said
    assert registered["sample"] == sample()


def test_what_is_right_is_registered(monkeypatch):
    monkeypatch.delitem(registered, "sample", raising=False)
    application = sample(
        flows={"CREDIT_SPEND": (Flow((OWNERS,), ("games",)), ISSUE.reverse)},
        amounts=amounts(CONTENT_ACCESS=-(2**53) + 1),
    )

    register(application)

    assert application_of("sample") is application
    registered.pop("sample")


def test_the_books_that_are_there_have_their_applications():
    assert application_of(PUBLIC) is MONEY
    assert application_of("credits") is CREDITS
    assert not [*MONEY.problems(), *CREDITS.problems()]
    assert MONEY.flows_of("CORRECTION") == BOOK_FLOWS[BookOperation.CORRECTION]


def test_a_book_without_an_application_is_unknown(db):
    with pytest.raises(UnknownOperation, match="No application keeps a book 'nope'"):
        application_of("nope")
    with pytest.raises(UnknownOperation):
        open_book(organisation=OrganisationFactory(), name="nope")


# Drafts


class OtherOperation(BaseLedgerOperation, required=()):
    """Operations that no book of these tests declares."""

    SOLD = "SOLD"


def draft(operation=CreditOperation.CREDIT_ADD, debit="issued", credit="owner:zaphod", **fields):
    """Return a draft for the book `credits`."""
    defaults = {"amount": 5, "currency": "CREDIT", "nonce": "n1"}
    return Draft(operation=operation, debit=debit, credit=credit, **{**defaults, **fields})


@pytest.fixture
def book(db):
    return open_book(organisation=OrganisationFactory(), name="credits")


def refused(book, *drafts, by):
    """Append and be refused; return what was said. Nothing is written."""
    with pytest.raises(by) as refusal:
        append(book=book, drafts=[draft(nonce="good"), *drafts])
    assert Entry.objects.of(book.organisation, "credits").count() == 1
    return str(refusal.value)


@pytest.mark.parametrize(
    "operation", [OtherOperation.SOLD, MoneyOperation.DONATION_RECEIVED, MoneyOperation.SPENT]
)
def test_an_operation_of_another_book_cannot_be_appended(book, operation):
    said = refused(book, draft(operation), by=UnknownOperation)

    assert said == f"The book credits knows no operation '{operation}'."


def test_an_operation_without_configuration_cannot_be_appended(book, monkeypatch):
    without = replace(CREDITS, amounts=amounts(CONTENT_ACCESS=None))
    monkeypatch.setitem(registered, "credits", without)

    assert "'CONTENT_ACCESS'" in refused(
        book, draft(CreditOperation.CONTENT_ACCESS), by=UnknownOperation
    )


@pytest.mark.parametrize(
    ("operation", "debit", "credit"),
    [
        (CreditOperation.CREDIT_ADD, "owner:zaphod", "issued"),
        (CreditOperation.CREDIT_ADD, "issued", "issue"),
        (CreditOperation.CREDIT_ADD, "issued", "owner:"),
        (CreditOperation.CREDIT_SPEND, "issued", "owner:zaphod"),
        (CreditOperation.CREDIT_SPEND, "owner:zaphod", "owner:ford"),
        (CreditOperation.CREDIT_SPEND, "owner:zaphod", "fund:general"),
        (BookOperation.BALANCE_ATTESTATION, "issued", "owner:zaphod"),
    ],
)
def test_a_draft_outside_the_patterns_is_refused_by_its_operation(book, operation, debit, credit):
    said = refused(book, draft(operation, debit, credit), by=DraftRefused)

    assert said.startswith(f"{operation} cannot debit ")
    assert "zaphod" not in said
    assert "ford" not in said


def test_a_refusal_says_what_is_allowed(book):
    said = refused(book, draft(credit="stripe"), by=DraftRefused)

    assert said == (
        "CREDIT_ADD cannot debit 'issued' and credit 'stripe': "
        "it debits issued and credits owner:*."
    )


def test_an_unknown_operation_is_named_in_48_characters_at_most():
    with pytest.raises(UnknownOperation, match=r"no operation 'X{48}'\.$"):
        MONEY.flows_of("X" * 60)


@pytest.mark.django_db
def test_a_refusal_names_every_way_that_is_allowed():
    book = OrganisationFactory().books.get()
    stray = draft(MoneyOperation.PROVIDER_FEE, "external", "stripe", currency="EUR")

    with pytest.raises(DraftRefused) as caught:
        append(book=book, drafts=[stray])

    stores = "stripe or bank:* or reserve:* or onchain:*"
    assert str(caught.value).endswith(
        f"it debits fund:* and credits {stores}; or debits {stores} and credits fund:*."
    )


def test_a_refusal_is_as_short_as_it_can_be(book):
    said = refused(book, draft(credit="x" * 81), by=DraftRefused)

    assert f"credit '{'x' * 80}': it" in said


# What mypy knows

GOOD = """
from credits.operations import CreditOperation
from ledger.operations import BaseLedgerOperation
from ledger.services import Draft


class GoodOperation(BaseLedgerOperation):
    DAILY_REWARD = "DAILY_REWARD"
    SIGNUP_CREDIT = "SIGNUP_CREDIT"
    CREDIT_SPEND = "CREDIT_SPEND"
    CREDIT_ADD = "CREDIT_ADD"
    GAME_PLAYED = "GAME_PLAYED"


OPERATION: GoodOperation = GoodOperation.CREDIT_ADD
OTHER: BaseLedgerOperation = CreditOperation.CONTENT_ACCESS
NAME: str = GoodOperation.GAME_PLAYED.value


def drafted(operation: BaseLedgerOperation) -> Draft:
    return Draft(
        operation=operation, amount=1, currency="CREDIT", debit="a", credit="b", nonce="n"
    )


DRAFTS = [drafted(GoodOperation.CREDIT_SPEND), drafted(CreditOperation.CONTENT_CREATION)]
"""
BAD = f"""{GOOD}
MISSPELT = GoodOperation.CREDIT_AD
FOREIGN = CreditOperation.GAME_PLAYED
MIXED: GoodOperation = CreditOperation.CREDIT_ADD
TEXT = Draft(
    operation="CREDIT_ADD", amount=1, currency="CREDIT", debit="a", credit="b", nonce="n"
)
FLOAT = Draft(
    operation=GoodOperation.CREDIT_ADD, amount=1.5, currency="X", debit="a", credit="b", nonce="n"
)
FORGOTTEN = Draft(
    operation=GoodOperation.CREDIT_ADD, amount=1, currency="CREDIT", debit="a", credit="b"
)
"""
ERRORS = [
    '"type[GoodOperation]" has no attribute "CREDIT_AD"',
    '"type[CreditOperation]" has no attribute "GAME_PLAYED"',
    'expression has type "CreditOperation", variable has type "GoodOperation"',
    'Argument "operation" to "Draft" has incompatible type "str"',
    'Argument "amount" to "Draft" has incompatible type "float"',
    'Missing positional argument "nonce"',
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What mypy says of both samples, strictly; of nothing that they import."""
    folder = tmp_path_factory.mktemp("mypy")
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(BAD)
    (folder / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nfollow_imports = silent\nignore_missing_imports = true\n"
        f"mypy_path = {ROOT}\nexplicit_package_bases = true\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache"]
    return subprocess.run(
        [*command, "good.py", "bad.py"], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


def test_mypy_knows_the_members_of_a_good_sample(checked):
    assert "good.py" not in checked


@pytest.mark.parametrize("error", ERRORS)
def test_mypy_finds_what_is_wrong_with_a_bad_sample(checked, error):
    assert error in checked
    assert f"Found {len(ERRORS)} errors in 1 file" in checked
