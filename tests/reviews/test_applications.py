"""Applications as cases: sent in, decided once by people who may, with all that follows or none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection

from common.errors import DomainError
from donations.models import Fund
from ledger.models import Book, Entry, SigningKey
from organisations.errors import AlreadyDecided
from organisations.models import Mail, Organisation
from organisations.services import applications, tenants
from organisations.signals import organisation_approved
from reviews.choices import choices_of
from reviews.errors import CaseClosed, OwnCase, ReviewersOnly, UnknownChoice
from reviews.models import Case, Note, Screening
from reviews.services.cases import reopen
from reviews.services.deciding import decide
from reviews.tasks import receive_waiting_applications
from tests.factories import (
    ApplicantFactory,
    CaseFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
WORDS = {
    "summary": "Night shelter",
    "description": "Forty beds.",
    "registration": "0403.019.261",
    "website": "https://lantern.example",
}


@pytest.fixture
def draft() -> Organisation:
    """An application in which nothing is missing."""
    made = ApplicantFactory(name="Lantern", slug="lantern", status="draft", **WORDS)
    MembershipFactory(organisation=made, user__email="zoe@example.org")
    DocumentFactory(organisation=made)
    StripeAccountStateFactory(organisation=made)
    return made


@pytest.fixture
def case(draft) -> Case:
    """The case that it is, sent in."""
    applications.submit_application(organisation=draft)
    Mail.objects.all().delete()
    return Case.objects.get()


@pytest.fixture
def reviewer():
    """Somebody who may decide."""
    return reviewer_()


def reviewer_():
    return UserFactory(is_staff=True, is_superuser=True)


def as_it_is(organisation: Organisation) -> str:
    return Organisation.objects.get(pk=organisation.pk).status


def made_for(organisation: Organisation) -> list[int]:
    """Count what an approval makes: book, genesis, key, fund, mail."""
    own = [
        model.objects.filter(organisation=organisation) for model in (Book, Entry, SigningKey, Fund)
    ]
    return [*(rows.count() for rows in own), Mail.objects.count()]


def test_what_is_sent_in_is_a_case_with_its_checks(draft):
    applications.submit_application(organisation=draft)

    case, screening = Case.objects.get(), Screening.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("application", draft.id, draft)
    assert case.summary == "Lantern (BE) applies.\nNight shelter"
    assert timedelta(days=4) < case.due_at - case.opened_at <= timedelta(days=5)
    assert (screening.occasion, screening.subject) == ("application", case.id)
    assert screening.organisation == draft
    assert (screening.verdict, screening.score, screening.hits) == ("approve", 0, [])
    assert {result["outcome"] for result in screening.results} == {"pass", "not_run"}


def test_what_the_checks_found_stands_in_the_summary(draft):
    OrganisationFactory(name="LANTERN")

    applications.submit_application(organisation=draft)

    case, screening = Case.objects.get(), Screening.objects.get()
    assert case.summary.endswith("Night shelter\nTo look at: other organisations here.")
    assert (screening.verdict, screening.score) == ("review", 40)
    assert screening.hits == ["other_organisations"]


def test_approval_brings_book_genesis_key_and_fund_once(draft, case, reviewer):
    outcome = decide(case=case, by=reviewer, choice="approve", reason=" Papers checked. ")

    assert outcome.is_final
    approved = Organisation.objects.get(pk=draft.pk)
    assert (approved.status, approved.decided_by) == ("approved", reviewer)
    assert approved.decision_reason == "Papers checked."
    assert made_for(draft) == [1, 1, 1, 1, 1]
    assert Entry.objects.get().operation == "GENESIS"
    assert Fund.objects.get().slug == "general"
    assert Mail.objects.get().subject == "Lantern is approved"
    with pytest.raises(CaseClosed):
        decide(case=case, by=reviewer_(), choice="approve", reason="Me too.")
    assert made_for(draft) == [1, 1, 1, 1, 1]


def test_what_fails_leaves_nothing_behind(draft, case, reviewer):
    def refuse(**_):
        raise DomainError("Not today.")

    organisation_approved.connect(refuse)
    try:
        with pytest.raises(DomainError, match="Not today"):
            decide(case=case, by=reviewer, choice="approve", reason="Checked.")
    finally:
        organisation_approved.disconnect(refuse)

    case.refresh_from_db()
    assert (case.closed_at, as_it_is(draft)) == (None, "applied")
    assert made_for(draft) == [0, 0, 0, 0, 0]
    assert not case.decisions.exists()


def test_who_asks_for_more_gives_it_back_and_what_comes_again_is_a_new_case(draft, case, reviewer):
    decide(case=case, by=reviewer, choice="ask", reason="Who signs for you?")

    asked = Organisation.objects.get(pk=draft.pk)
    assert (asked.status, asked.question) == ("draft", "Who signs for you?")
    assert "Who signs for you?" in Mail.objects.get().body
    applications.submit_application(organisation=draft)
    case.refresh_from_db()
    again = Case.objects.open().get()
    assert (case.choice, again.subject, again == case) == ("ask", draft.id, False)
    assert Screening.objects.count() == 2
    with pytest.raises(AlreadyDecided, match="when its owners send it in"):
        reopen(case=again_closed(again), by=reviewer, reason="Look again.")


def again_closed(case):
    """Ask once more, so that no case about it is open."""
    return decide(case=case, by=reviewer_(), choice="ask", reason="And when?").case


def test_who_was_rejected_is_looked_at_again_when_the_case_is_opened_again(draft, case, reviewer):
    decide(case=case, by=reviewer, choice="reject", reason="Not a charity & no papers.")
    rejected = Organisation.objects.get(pk=draft.pk)
    assert (rejected.status, rejected.decided_by) == ("rejected", reviewer)
    assert "Not a charity & no papers." in Mail.objects.get().body
    case.refresh_from_db()

    with pytest.raises(ReviewersOnly):
        reopen(case=case, by=UserFactory(is_staff=True), reason="They wrote.")
    reopen(case=case, by=reviewer, reason="They sent the statutes.")

    waiting = Organisation.objects.get(pk=draft.pk)
    assert (waiting.status, waiting.decided_by, waiting.decision_reason) == ("applied", None, "")
    assert Mail.objects.latest("id").subject == "We have the application of Lantern"
    decide(case=case, by=reviewer_(), choice="approve", reason="The statutes say so.")
    assert as_it_is(draft) == "approved"
    case.refresh_from_db()
    assert [(each.round, each.choice) for each in case.decisions.all()] == [
        (1, "reject"), (2, "approve"),
    ]  # fmt: skip
    with pytest.raises(AlreadyDecided, match="ledger for ever"):
        reopen(case=case, by=reviewer, reason="After all.")
    case.refresh_from_db()
    assert case.closed_at


def test_other_cases_are_opened_again_as_before(reviewer):
    case = CaseFactory()
    decide(case=case, by=reviewer, choice="close", reason="Seen.")

    assert reopen(case=case, by=reviewer, reason="Not well enough.").closed_at is None


def test_only_who_may_review_organisations_decides(draft, case, reviewer):
    with pytest.raises(ReviewersOnly):
        decide(case=case, by=UserFactory(is_staff=True), choice="approve", reason="Why not?")
    own = draft.memberships.get().user
    own.is_superuser = True
    own.save(update_fields=["is_superuser"])
    with pytest.raises(OwnCase):
        decide(case=case, by=own, choice="approve", reason="It is mine.")
    with pytest.raises(UnknownChoice):
        decide(case=case, by=reviewer, choice="close", reason="Enough.")

    assert (as_it_is(draft), case.decisions.count()) == ("applied", 0)


def test_an_application_that_waits_no_more_is_not_decided(draft, case, reviewer):
    Organisation.objects.filter(pk=draft.pk).update(status="draft")

    for choice in ("approve", "ask", "reject"):
        with pytest.raises(AlreadyDecided):
            decide(case=case, by=reviewer, choice=choice, reason="Because.")

    case.refresh_from_db()
    assert case.closed_at is None


def test_applications_are_not_decided_in_bulk(case):
    assert [choice.key for choice in choices_of(case)] == ["approve", "ask", "reject"]
    assert not any(choice.in_bulk for choice in choices_of(case))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_does(draft, case):
    together, people = Barrier(2), [reviewer_(), reviewer_()]

    def act(person, choice):
        together.wait()
        try:
            return decide(case=case, by=person, choice=choice, reason="Because.").decision.choice
        except CaseClosed:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(act, people, ("approve", "reject")))

    [done] = [choice for choice in found if choice]
    assert as_it_is(draft) == {"approve": "approved", "reject": "rejected"}[done]
    assert made_for(draft)[:4] == [int(done == "approve")] * 4
    assert Mail.objects.count() == 1


def test_what_the_operator_approves_waits_no_more(draft, case):
    tenants.approve(organisation=draft, decided_by=None, reason="Known to us.")

    case.refresh_from_db()
    assert (case.choice, case.closed_by) == ("overtaken", None)
    assert case.notes.get().kind == Note.Kind.OVERTAKEN


def test_whatever_waits_without_a_case_gets_one(draft, case):
    waiting = ApplicantFactory(name="Harbour")
    ApplicantFactory(status="draft")
    OrganisationFactory()

    receive_waiting_applications(timestamp=0)
    receive_waiting_applications(timestamp=0)

    assert set(Case.objects.values_list("subject", flat=True)) == {draft.id, waiting.id}
    opened = Case.objects.get(subject=waiting.id)
    assert opened.summary == "Harbour (BE) applies.\nTo look at: registration number."
    assert Screening.objects.filter(organisation=waiting).get().subject == opened.id


def test_what_is_put_before_staff_twice_is_looked_at_once(draft, case):
    applications.put_before_staff(organisation=draft)

    assert Case.objects.get() == case
    assert Screening.objects.count() == 1


@pytest.mark.parametrize(("flags", "cases"), [([], 1), (["--approve"], 0)])
def test_what_the_operator_creates_waits_unless_it_is_approved(flags, cases):
    named = ["--name", "Pond", "--slug", "pond", "--country", "NL", "--currency", "EUR"]

    call_command("create_organisation", *named, *flags, stdout=StringIO())

    assert Case.objects.filter(kind="application").count() == cases
