"""The page about witnesses, the policy file, and the stages of a proof."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from ledger import log
from ledger.models import WitnessAnswer
from ledger.policy import parse_policy
from ledger.services.books import open_book
from ledger.services.sealing import seal
from tests.factories import ApplicantFactory, OrganisationFactory
from tests.ledger.test_witnessed_receipts import KEYS, LINES, TWO_OF_THREE, A, B, sign
from tests.ledger.witnesses import write_policy
from tests.pages.conftest import text_of, write

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def policy(settings, tmp_path):
    """Return what sets a policy of three witnesses and these lines."""
    return lambda *lines: write_policy(settings, tmp_path, *LINES, *lines)


@pytest.fixture
def sealed(organisation):
    write(organisation, {})
    seal(book=organisation.books.get())
    return organisation


def say(organisation, key, state, *, minutes_ago=1, problem="It says so.", signed=None):
    """Have a witness have answered."""
    then = timezone.now() - timedelta(minutes=minutes_ago)
    WitnessAnswer.objects.create(
        organisation=organisation,
        book="public",
        witness=str(key),
        state=state,
        problem="" if state == "cosigned" else problem,
        since=NOON,
        asked_at=then,
        cosigned_at=signed,
    )


def page(client):
    response = client.get("/witnesses")
    assert response.status_code == 200
    return text_of(response)


def test_without_a_policy_the_page_says_so_and_how_to_change_it(client, sealed):
    words = page(client)

    assert "Nobody vouches for these ledgers yet" in words
    assert "python manage.py witness FOLDER" in words
    assert "Who they are" not in words
    assert "This one proves little" not in words
    assert "Nobody vouches for it yet" in text_of(client.get("/o/lantern-house/ledger/1"))


def test_the_demo_says_how_little_its_witness_proves(client, sealed, policy, settings):
    policy("quorum a")
    settings.DEMO = True

    assert "on the same machine" in page(client)


def test_a_witness_that_was_never_asked(client, sealed, policy):
    policy("quorum a")

    words = page(client)

    assert words.count("Not asked yet") == 3
    assert "It has signed for 0 of 1" in words
    assert "Never so far" in words
    assert str(A) in words
    assert "A must have signed." in words


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([("cosigned", 1)], "Fresh"),
        ([("silent", 1)], "Silent So since 21 November 2026, 12:00 UTC"),
        ([("silent", 9), ("cosigned", 1)], "Fresh"),
        ([("silent", 1), ("cosigned", 9)], "Silent So since"),
        ([("unknown", 9), ("cosigned", 1)], "Does not know every log So since"),
        ([("unknown", 9), ("wrong", 5), ("silent", 9)], "Answers wrongly So since"),
        ([("silent", 1), ("contradicted", 9)], "Has seen another ledger So since"),
    ],
)
def test_a_state_is_said_in_words(client, sealed, policy, answers, words):
    policy("quorum none")
    organisations = [sealed, OrganisationFactory(), OrganisationFactory()]
    for organisation, (state, minutes) in zip(organisations, answers, strict=False):
        seal(book=organisation.books.get())
        say(organisation, A, state, minutes_ago=minutes)

    assert words in page(client)
    assert "No witness has to sign" in page(client)


def test_each_problem_names_its_ledger_and_the_remedy(client, sealed, policy):
    policy(*TWO_OF_THREE)
    other, hidden = OrganisationFactory(name="Pond"), ApplicantFactory(name="Hidden")
    seal(book=other.books.get())
    seal(book=open_book(organisation=hidden, name="public"))
    say(sealed, A, "contradicted", problem="It has seen another tree of this log.", signed=NOON)
    say(other, A, "unknown", problem="It does not know this log.")
    say(hidden, A, "wrong")

    words = page(client)

    assert "Lantern House : It has seen another tree of this log. Staff are told" in words
    assert (
        "Pond : It does not know this log. Whoever runs the witness can tell it this key" in words
    )
    assert log.vkey_of(other.pk) in words
    assert "It has signed for 1 of 2" in words
    assert "Hidden" not in words
    assert "At least 2 of a, b, c must have signed." in words


def test_a_quorum_of_groups_is_said_group_by_group(client, db, policy):
    policy("group ab all a b", "group one any c", "group all-in 1 ab one", "quorum all-in")

    words = page(client)

    assert "At least 1 of ab, one must have signed." in words
    assert "Ab counts as soon as all of a, b did." in words
    assert "One counts as soon as c did." in words


def test_the_policy_file_has_a_line_for_every_public_log(client, sealed, policy):
    policy(*TWO_OF_THREE)
    other = OrganisationFactory(slug="other")
    seal(book=other.books.get())

    response = client.get("/witnesses/policy")
    again = client.get("/witnesses/policy", headers={"if-none-match": response["ETag"]})

    found = parse_policy(response.content)
    assert {str(each.key) for each in found.logs} == {
        log.vkey_of(sealed.pk), log.vkey_of(other.pk)
    }  # fmt: skip
    assert f"http://localhost:8000/log/{sealed.pk}" in {each.url for each in found.logs}
    assert [witness.key for witness in found.witnesses] == KEYS
    assert found.is_met_by(KEYS[:2])
    assert not found.is_met_by(KEYS[:1])
    assert response["Content-Disposition"] == 'attachment; filename="witnesses.policy"'
    assert again.status_code == 304


def test_without_witnesses_the_file_has_the_logs_alone(client, sealed):
    found = parse_policy(client.get("/witnesses/policy").content)

    assert (len(found.logs), found.witnesses, found.quorum) == (1, [], "none")


def test_names_of_any_octets_come_back_as_they_are(client, sealed, settings, tmp_path):
    file = tmp_path / "policy"
    line = f" {A} http://127.0.0.1:1\n".encode()
    file.write_bytes(b"witness caf\xe9" + line + b"quorum caf\xe9\n")
    settings.LEDGER_WITNESS_POLICY = str(file)

    assert b"witness caf\xe9 " in client.get("/witnesses/policy").content
    assert "Caf\N{REPLACEMENT CHARACTER} must have signed" in page(client)


# The stages


def test_the_stages_go_from_written_to_witnessed(client, organisation, policy):
    policy(*TWO_OF_THREE)
    write(organisation, {})
    path = "/o/lantern-house/ledger/1"
    assert "Witnessed" not in text_of(client.get(path))
    seal(book=organisation.books.get())
    assert "Witnessed By 0 of 3; 2 must have signed" in text_of(client.get(path))
    sign(organisation, A, 2)
    words = text_of(client.get(path))
    assert "By 1 of 3, 21 September 2026, 14:13 UTC ; 2 must have signed" in words
    assert "--witnesses" not in words
    sign(organisation, B, 2)

    response = client.get(path)

    assert "By 2 of 3, 21 September 2026, 14:13 UTC" in text_of(response)
    assert response.content.count(b"stage--done") == 3
    witnesses = " ".join(f"--witness {key}" for key in KEYS)
    assert f"{witnesses} --witnesses 2</code>" in response.content.decode()
