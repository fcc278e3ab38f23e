"""`POST /v1/ledger`: credits given and taken, once for each nonce."""

import pytest
from django.db import IntegrityError

from credits import services
from credits.errors import OwnerRefused
from credits.models import owners_of
from credits.operations import CREDITS
from ledger.errors import DraftRefused
from ledger.models import Account, Book, Entry
from tests.factories import ApplicantFactory, OrganisationFactory


def state(organisation):
    """Return all that a refused operation must leave as it was."""
    accounts = Account.objects.filter(organisation=organisation)
    return (
        sorted(accounts.values_list("book", "name", "debits", "credits")),
        list(Book.objects.filter(organisation=organisation).values_list("book", "size")),
    )


def test_credits_are_given_and_taken(program, organisation):
    given = program.post("ann", "CREDIT_ADD", "n1", amount=7)
    taken = program.post("ann", "CREDIT_SPEND", "n2", amount=-3)

    entry = Entry.objects.get(book="credits", nonce="n2")
    assert (given.status_code, taken.status_code) == (201, 201)
    assert taken.json() == {
        "owner_id": "ann",
        "operation": "CREDIT_SPEND",
        "amount": -3,
        "balance": 4,
        "nonce": "n2",
        "sequence": 2,
        "entry_hash": entry.entry_hash,
    }
    assert given["Cache-Control"] == "no-store"
    assert (entry.amount, entry.currency) == (3, "CREDIT")
    assert (entry.debit, entry.credit) == ("owner:ann", "issued")
    assert program.balance("ann") == 4


@pytest.mark.parametrize(("operation", "default"), CREDITS.amounts.items())
def test_an_amount_left_out_is_the_declared_one(program, operation, default):
    program.post("ann", "CREDIT_ADD", "first", amount=20)

    posted = program.post("ann", operation, "n1")

    assert posted.status_code == 201
    assert posted.json()["amount"] == default
    assert posted.json()["balance"] == 20 + default
    assert Entry.objects.get(nonce="n1").operation == operation


def test_the_book_opens_with_the_first_operation(program, organisation):
    assert not Book.objects.filter(book="credits").exists()

    program.post("ann", "DAILY_REWARD", "n1")

    book = Book.objects.get(organisation=organisation, book="credits")
    assert book.size == 2
    assert Entry.objects.of(organisation, "credits").get(sequence=0).operation == "GENESIS"


def test_an_organisation_that_nobody_decided_on_keeps_credits_too(program_of, db):
    assert program_of(ApplicantFactory()).post("ann", "DAILY_REWARD", "n1").status_code == 201


def test_the_same_again_answers_the_same_body_with_the_balance_of_then(program, organisation):
    program.post("ann", "CREDIT_ADD", "n1", amount=5)
    first = program.post("ann", "CREDIT_SPEND", "n2", amount=-5)
    program.post("bob", "CREDIT_ADD", "n3")
    program.post("ann", "CREDIT_ADD", "n4", amount=100)
    before = state(organisation)

    again = program.post("ann", "CREDIT_SPEND", "n2", amount=-5)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert first.json()["balance"] == 0
    assert state(organisation) == before


def test_the_default_written_out_is_the_same(program):
    first = program.post("ann", "SIGNUP_CREDIT", "n1")

    again = program.post("ann", "SIGNUP_CREDIT", "n1", amount=3)

    assert again.status_code == 200
    assert first.content == again.content


@pytest.mark.parametrize(
    "other",
    [
        {"owner_id": "bob"},
        {"operation": "DAILY_REWARD"},
        {"operation": "CREDIT_SPEND"},
        {"amount": 6},
    ],
)
def test_a_nonce_with_other_content_leaves_no_trace(program, organisation, other):
    body = {"owner_id": "ann", "operation": "CREDIT_ADD", "nonce": "n1"}
    program.send({**body, "amount": 5})
    before = state(organisation)

    response = program.send({**body, **other})

    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "nonce_conflict"
    assert state(organisation) == before


def test_the_nonce_of_the_genesis_is_taken(program):
    program.post("ann", "DAILY_REWARD", "n1")

    assert program.post("ann", "DAILY_REWARD", "genesis").json()["code"] == "nonce_conflict"


@pytest.mark.parametrize("owner_id", ["ann", "nobody"])
@pytest.mark.parametrize("operation", ["CREDIT_SPEND", "CONTENT_CREATION"])
def test_nobody_spends_more_than_there_is(program, organisation, owner_id, operation):
    program.post("ann", "CREDIT_ADD", "n1", amount=4)
    before = state(organisation)

    response = program.post(owner_id, operation, "n2", amount=-5)

    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "insufficient_balance"
    assert state(organisation) == before
    assert program.balance("ann") == 4


def test_what_was_refused_can_be_posted_later_with_its_nonce(program):
    program.post("ann", "CREDIT_SPEND", "n1")
    program.post("ann", "DAILY_REWARD", "n2")

    assert program.post("ann", "CREDIT_SPEND", "n1").json()["balance"] == 0


def test_a_spending_is_answered_again_when_nothing_is_left(program):
    program.post("ann", "DAILY_REWARD", "n1")
    spent = program.post("ann", "CREDIT_SPEND", "n2")

    again = program.post("ann", "CREDIT_SPEND", "n2")

    assert (again.status_code, again.json()) == (200, spent.json())


def test_a_reward_of_the_day_is_given_once(program):
    """By the nonce that docs/applications.md says."""
    monday = [program.post("ann", "DAILY_REWARD", "daily:ann:2026-11-16") for _ in range(3)]
    tuesday = program.post("ann", "DAILY_REWARD", "daily:ann:2026-11-17")
    program.post("bob", "DAILY_REWARD", "daily:bob:2026-11-17")

    assert [answer.status_code for answer in monday] == [201, 200, 200]
    assert tuesday.json()["balance"] == 2
    assert (program.balance("ann"), program.balance("bob")) == (2, 1)


def test_a_reward_of_the_day_of_another_amount_is_a_conflict(program):
    program.post("ann", "DAILY_REWARD", "daily:ann:2026-11-16")

    assert program.post("ann", "DAILY_REWARD", "daily:ann:2026-11-16", amount=2).status_code == 409


@pytest.mark.parametrize(
    ("operation", "amount", "detail"),
    [
        (
            "x" * 49,
            1,
            f"'{'x' * 48}' is no operation of credits: use one of DAILY_REWARD, SIGNUP_CREDIT, "
            "CREDIT_SPEND, CREDIT_ADD, CONTENT_CREATION, CONTENT_ACCESS.",
        ),
        ("CREDIT_ADD", -1, "The amount of CREDIT_ADD must be above zero; left out, it is 10."),
        ("CREDIT_SPEND", 1, "The amount of CREDIT_SPEND must be below zero; left out, it is -1."),
        ("CONTENT_ACCESS", 1, "The amount of CONTENT_ACCESS must be zero; left out, it is 0."),
    ],
)
def test_a_refusal_says_what_can_be_posted(program, operation, amount, detail):
    assert program.post("ann", operation, "n1", amount=amount).json()["detail"] == detail


@pytest.mark.parametrize(
    "operation",
    ["", "NOPE", "credit_spend", "GENESIS", "CORRECTION", "BALANCE_ATTESTATION", "SPENT",
     "DONATION_RECEIVED", "x" * 5000, "é", " CREDIT_SPEND", "issued"],
)  # fmt: skip
def test_an_unknown_operation_is_refused(program, organisation, operation):
    before = state(organisation)

    response = program.post("ann", operation, "n1", amount=1)

    assert response.status_code == 400
    assert response.json()["code"] == "unknown_operation"
    assert state(organisation) == before


@pytest.mark.parametrize(
    ("operation", "amount"),
    [
        ("CREDIT_SPEND", 1), ("CREDIT_SPEND", 0), ("CONTENT_CREATION", 5), ("CREDIT_ADD", -1),
        ("CREDIT_ADD", 0), ("DAILY_REWARD", -(2**53) + 1), ("CONTENT_ACCESS", 1),
        ("CONTENT_ACCESS", -1),
    ],
)  # fmt: skip
def test_an_amount_has_the_sign_of_its_operation(program, operation, amount):
    response = program.post("ann", operation, "n1", amount=amount)

    assert response.status_code == 400
    assert response.json()["code"] == "wrong_sign"
    assert not Entry.objects.filter(nonce="n1").exists()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount", True, "invalid"),
        ("amount", False, "invalid"),
        ("amount", 1.0, "invalid"),
        ("amount", "1", "invalid"),
        ("amount", None, "null"),
        ("amount", [1], "invalid"),
        ("amount", 2**53, "out_of_range"),
        ("amount", -(2**53), "out_of_range"),
        ("amount", 10**400, "out_of_range"),
        ("owner_id", "", "blank"),
        ("owner_id", "x" * 129, "max_length"),
        ("owner_id", 7, "invalid"),
        ("owner_id", None, "null"),
        ("owner_id", "a\nb", "ill_formed"),
        ("owner_id", "a\u0085b", "ill_formed"),
        ("owner_id", "e\u0301", "ill_formed"),
        ("owner_id", "\ue0fff\U000e0fff", "ill_formed"),
        ("nonce", "", "blank"),
        ("nonce", "x" * 256, "max_length"),
        ("nonce", 7, "invalid"),
        ("nonce", "\t", "ill_formed"),
        ("operation", 7, "invalid"),
        ("operation", None, "null"),
        ("operation", "A\nB", "ill_formed"),
        ("metadata", {}, "unknown_field"),
        ("balance", 5, "unknown_field"),
    ],
)
def test_an_ill_formed_operation_is_refused_by_field(program, organisation, field, value, code):
    before = state(organisation)
    body = {"owner_id": "ann", "operation": "CREDIT_ADD", "nonce": "n1", field: value}

    response = program.send(body)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [
        (field, code)
    ]
    assert state(organisation) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"owner_id":"\\u0000"}', b"\xff", b"null"])
def test_a_body_that_is_no_operation_is_refused(program, body):
    response = program.send(body)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_what_is_missing_is_named(program):
    fields = {error["field"] for error in program.send({}).json()["errors"]}

    assert fields == {"owner_id", "operation", "nonce"}


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(program):
    response = program.client.post(
        "/v1/ledger",
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_LENGTH="",
    )

    assert response.status_code == 411


@pytest.mark.parametrize(
    "nonce", ["almoner:", "almoner:grant:don_1", "correction:1", "attestation:5:1"]
)
def test_our_own_nonces_are_not_to_be_had(program, nonce):
    response = program.post("ann", "CREDIT_ADD", nonce)

    assert response.status_code == 400
    assert response.json()["code"] == "reserved_nonce"


def test_what_a_book_cannot_count_is_refused(program, organisation):
    most = 2**53 - 1
    assert program.post("ann", "CREDIT_ADD", "n1", amount=most).json()["balance"] == most
    before = state(organisation)

    response = program.post("bob", "CREDIT_ADD", "n2", amount=1)

    assert response.status_code == 409
    assert response.json()["code"] == "limit_reached"
    assert state(organisation) == before
    assert program.post("ann", "CREDIT_SPEND", "n3", amount=-most).json()["balance"] == 0


def test_what_else_the_database_refuses_is_a_bug_and_stays_one(organisation, monkeypatch):
    def refuse(**_):
        raise IntegrityError("something new")

    monkeypatch.setattr(services, "append", refuse)

    with pytest.raises(IntegrityError):
        post(organisation)


def post(organisation, owner_id="ann", **fields):
    """Post by the service, which others may call."""
    operation = {"operation": "DAILY_REWARD", "nonce": "n1", **fields}
    return services.post_operation(
        organisation=organisation, application=CREDITS, owner_id=owner_id, **operation
    )


@pytest.mark.parametrize("owner_id", ["", "x" * 129])
def test_the_service_refuses_ill_formed_owners_too(organisation, owner_id):
    with pytest.raises(OwnerRefused):
        post(organisation, owner_id)


def test_a_refusal_does_not_name_the_owner(organisation):
    with pytest.raises(DraftRefused) as refusal:
        post(organisation, "secret\n")

    assert "secret" not in str(refusal.value)


def test_the_service_keeps_metadata(organisation):
    posted = post(organisation, metadata={"article": 12})

    assert posted.entry.metadata == {"article": 12}


def test_two_organisations_and_their_owners_are_apart(program, program_of):
    other = program_of(OrganisationFactory())
    program.post("ann", "CREDIT_ADD", "n1", amount=5)

    posted = other.post("ann", "CREDIT_ADD", "n1", amount=6)

    assert (posted.status_code, posted.json()["balance"]) == (201, 6)
    assert program.balance("ann") == 5


def test_a_post_takes_few_queries(program, organisation, django_assert_max_num_queries):
    program.post("ann", "CREDIT_ADD", "n1")

    with django_assert_max_num_queries(8):
        assert program.post("ann", "CREDIT_SPEND", "n2").status_code == 201
    assert owners_of(organisation, "credits").count() == 1
