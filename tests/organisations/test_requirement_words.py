"""What Stripe asks for, in words."""

import pytest

from organisations.requirement_words import ACCOUNT, PERSON, in_words, why_disabled


def test_each_thing_is_said_once_in_the_order_of_stripe():
    keys = ["tos_acceptance.ip", "company.tax_id", "tos_acceptance.date", "representative.dob.day"]

    assert in_words([*keys, "representative.dob.year"]) == [
        "Acceptance of Stripe’s terms",
        "Its tax number",
        "The representative: date of birth",
    ]


def test_persons_are_named_by_their_part():
    assert in_words(["person_1Abc.verification.document", "owners.email"]) == [
        "A person named to Stripe: identity document",
        "An owner: e-mail address",
    ]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("company.new_thing.of_2027", "Company new thing of 2027"),
        ("owners.shoe_size", "An owner: shoe size"),
        ("<script>", "Script"),
        ("", ""),
    ],
)
def test_what_nobody_knows_yet_stays_readable(key, words):
    assert in_words([key]) == [words]


def test_the_tables_are_sentences_without_a_full_stop():
    assert not [words for words in [*ACCOUNT.values(), *PERSON.values()] if words.endswith(".")]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", ""),
        ("under_review", "Stripe is reviewing the account."),
        ("rejected.fraud", "Stripe has rejected the account: ask Stripe’s support."),
        ("moon.phase", "Stripe has stopped it: Moon phase."),
    ],
)
def test_why_an_account_is_stopped_is_a_sentence(reason, sentence):
    assert why_disabled(reason) == sentence
