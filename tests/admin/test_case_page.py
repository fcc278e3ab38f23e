"""The page of a case: what a reviewer sees on it, and what they do there."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from donations.services.holding import hold_settled
from organisations.models import User
from reviews import panels
from reviews.errors import CaseClosed, CaseSettled, OwnCase, ReasonMissing, SecondPersonNeeded
from reviews.models import Case, Decision
from reviews.services.cases import overtake, say_more
from reviews.services.deciding import decide
from reviews.traits import key_of
from tests.admin.test_decisions import told
from tests.donations.refunds import in_ledger
from tests.factories import (
    ApplicantFactory,
    CaseFactory,
    DocumentFactory,
    DonationFactory,
    HoldFactory,
    MembershipFactory,
    NoteFactory,
    OrganisationFactory,
    RuleVersionFactory,
    ScreeningFactory,
    UserFactory,
    found,
)
from tests.reviews.deciding import close_case
from tests.treasury.movements import book_all, charged, movement
from treasury.models import BalanceTransaction


def url(case: Case) -> str:
    """Return where a case is."""
    return f"/admin/reviews/case/{case.pk}/change/"


def do(client: Client, case: Case, act: str, **fields):
    """Do something with a case on its page."""
    return client.post(url(case), {"act": act, **fields}, follow=True)


def text(client: Client, case: Case) -> str:
    """Return the page of a case."""
    return client.get(url(case)).content.decode()


@pytest.fixture
def case(db) -> Case:
    """A large gift, held in the ledger until two people have decided."""
    organisation = OrganisationFactory(name="Lantern", slug="lantern")
    donation = DonationFactory(organisation=organisation, amount=120_000)
    book_all(organisation, charged(120_000, donation_id=donation.id))
    case = CaseFactory(
        organisation=organisation,
        kind="gift",
        subject=donation.id,
        gift=donation.id,
        amount=120_000,
        currency="EUR",
        summary="A first gift, and a large one.",
        due_at=timezone.now() + timedelta(hours=5, minutes=5),
    )
    donation.refresh_from_db()
    hold_settled(donation)
    return case


def test_a_case_tells_what_happened_and_what_is_at_stake(chief, case):
    page = text(chief, case)

    for words in (
        "A first gift, and a large one.",
        "1,200.00 <abbr>EUR</abbr>",
        "due in 5\N{NO-BREAK SPACE}hours",
        "with nobody yet",
        "needs two people",
        "Lantern",
    ):
        assert words in page
    assert "/o/lantern/ledger/1" in page
    assert "Held for review" in page


def test_a_hold_says_how_the_money_is_held_and_until_when(chief, case):
    assert "its money stands in “held” in the public book" in text(chief, case)
    hold = HoldFactory(lapses_at=timezone.now() + timedelta(days=5, hours=1, minutes=1))
    assert "lapses in 5\N{NO-BREAK SPACE}days, 1\N{NO-BREAK SPACE}hour" in text(chief, hold.case)

    over = HoldFactory(lapses_at=timezone.now() - timedelta(hours=2, minutes=1))
    assert "lapsed 2\N{NO-BREAK SPACE}hours ago" in text(chief, over.case)


def test_every_rule_says_why_it_fired(chief, case):
    RuleVersionFactory(number=1, parameters={"per_hour": 7})
    own = RuleVersionFactory(number=1, parameters={"per_hour": 3}, organisation=case.organisation)
    money = {"amount": 120_000, "least_amount": 2_000, "currency": "EUR", "why": "large"}
    money["changed_at"] = "2026-11-02T14:02:00.000000+00:00"
    counts = {"declines": 1_200, "declines_limit": 10, "by": "email"}
    ScreeningFactory(
        organisation=case.organisation,
        subject=case.gift,
        results=[
            found(version=str(own.number)),
            found("email_pace", "error", evidence={"why": "OperationalError"}),
            found("card_abroad", verdict="approve", score=20),
            found("address_pace", mode="shadow", verdict="challenge", evidence=counts),
            found("gone_rule", "pass", evidence=money),
        ],
    )

    page = text(chief, case)

    assert "tries more than 3 gifts" in page
    assert "hit: review" in page
    assert "hit: counts for the score alone" in page
    assert "This rule could not look" in page
    assert "OperationalError" in page
    assert "in the shadow: counts for nothing" in page
    assert "1 more that did not hit" in page
    assert "gone rule" in page
    assert "20.00 EUR" in page
    assert "2 November 2026, 14:02 UTC" in page
    assert "1,200 against 10" in page


def test_parameters_that_no_rule_takes_any_more_leave_the_title(chief, case):
    RuleVersionFactory(parameters={"per_fortnight": 3})
    ScreeningFactory(subject=case.gift, results=[found(version="1")])

    page = text(chief, case)

    assert "Gifts of one donor to one organisation" in page
    assert "tries more than" not in page


def test_screenings_are_told_newest_first_also_where_nothing_hit(chief, case):
    ScreeningFactory(subject=case.gift, verdict="approve", results=[found(outcome="pass")], hits=[])
    ScreeningFactory(subject=case.gift, verdict="block", results=[], hits=["address_pace"])

    shown = chief.get(url(case))

    verdicts = [each.screening.verdict for each in shown.context["screenings"]]
    assert verdicts == ["block", "approve"]
    assert "Turned away by what stood already: address_pace" in shown.content.decode()
    assert "No rule hit." in shown.content.decode()


def test_cases_alike_are_told_with_how_they_ended(chief, ana, case):
    ScreeningFactory(subject=case.gift)
    for number in range(4):
        other = CaseFactory(kind="gift", subject=f"don_{number}", gift=f"don_{number}")
        ScreeningFactory(subject=other.gift)
        decide(case=other, by=ana, choice="keep", reason=f"Known, {number}.")
    unlike = CaseFactory(kind="gift", subject="don_x", gift="don_x")
    ScreeningFactory(subject="don_x", hits=["address_pace"])
    decide(case=unlike, by=ana, choice="keep", reason="Not alike.")

    alike = chief.get(url(case)).context["alike"]

    assert [(each.reason, outcome) for each, outcome in alike] == [
        ("Known, 3.", "Keep the gift"),
        ("Known, 2.", "Keep the gift"),
        ("Known, 1.", "Keep the gift"),
    ]


def test_without_rules_the_last_of_its_kind_are_alike(chief, ana):
    old, case = CaseFactory.create_batch(2, kind="payout")
    overtake(case=old, reason="It arrived.")

    alike = chief.get(url(case)).context["alike"]

    assert [(each.reason, outcome) for each, outcome in alike] == [
        ("It arrived.", "Overtaken by events")
    ]


def test_apps_above_add_panels(chief, case, monkeypatch):
    monkeypatch.setattr(panels, "makers", [])
    panel = panels.Panel("What Stripe says", "ledger/_correction.html")
    panels.register(["gift"], lambda shown: [panel])

    assert "What Stripe says" in text(chief, case)


def test_two_people_decide_what_is_large(chief, anas, ana, case):
    assert "Propose: Release: 1,200.00 EUR" in text(chief, case)

    first = do(chief, case, "decide", choice="release", reason="They know the donor.")
    waits = text(chief, case)
    again = do(chief, case, "decide", choice="release", reason="They know the donor.")
    seen = text(anas, case)
    second = do(anas, case, "decide", choice="release", reason="I called as well.")

    assert told(first) == [f"{case}: proposed: release. Somebody else has to confirm it."]
    assert "<strong>You proposed: Release.</strong>" in waits
    assert "You proposed it: it waits for somebody else." in waits
    assert "disabled" in waits
    assert told(again) == [f"{case}: {SecondPersonNeeded()}"]
    assert "Confirm: Release: 1,200.00 EUR" in seen
    assert "Propose otherwise: Give back: 1,200.00 EUR" in seen
    assert told(second) == [f"{case}: decided: release."]
    case.refresh_from_db()
    assert (case.closed_by, case.hold.status) == (ana, "released")
    [logged, _] = LogEntry.objects.all()
    assert logged.change_message == "decided: release: I called as well."


def test_one_person_decides_what_is_small(chief, case):
    small = CaseFactory(kind="fraud_warning", gift="don_1", amount=2_500, currency="EUR")

    page = text(chief, small)
    do(chief, small, "decide", choice="keep", reason="A known donor.")

    assert ">Keep the gift</button>" in page
    assert ">Give back: 25.00 EUR</button>" in page
    assert "The gift goes on counting, and no money moves." in page
    small.refresh_from_db()
    assert small.choice == "keep"


def test_a_large_dispute_is_closed_by_one_person(chief, superuser):
    dispute = CaseFactory(kind="dispute", amount=120_000, currency="EUR")

    page = text(chief, dispute)
    done = do(chief, dispute, "decide", choice="close", reason="Answered at Stripe.")

    assert ">Close</button>" in page
    assert "wo people" not in page
    assert told(done) == [f"{dispute}: decided: close."]
    dispute.refresh_from_db()
    assert dispute.closed_by == superuser


def test_of_one_large_case_one_keeps_the_gift_and_two_give_it_back(chief, anas):
    warning = CaseFactory(kind="fraud_warning", gift="don_1", amount=120_000, currency="EUR")

    page = text(chief, warning)
    do(chief, warning, "decide", choice="refuse", reason="Stolen, it seems.")
    do(anas, warning, "decide", choice="keep", reason="The donor rang: it was her.")

    assert ">Keep the gift</button>" in page
    assert ">Propose: Give back: 1,200.00 EUR</button>" in page
    assert "Two people decide what moves this money" in page
    warning.refresh_from_db()
    assert warning.choice == "keep"


def test_who_comes_late_is_told_who_decided_and_what(chief, ana):
    case = CaseFactory()
    close_case(case=case, closed_by=ana, reason="A fee of the bank.")

    page = do(chief, case, "decide", choice="close", reason="Mine.")

    assert told(page) == [f"{case}: {CaseClosed()}"]
    shown = page.content.decode()
    assert "<strong>Close</strong>" in shown
    assert "by Ana" in shown
    assert "A fee of the bank." in shown
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("is_donor", [True, False])
def test_a_persons_own_case_has_no_buttons_and_says_why(chief, superuser, is_donor):
    if is_donor:
        case = CaseFactory(donor_key=key_of("email", superuser.email))
    else:
        case = CaseFactory(organisation=MembershipFactory(user=superuser).organisation)

    page = text(chief, case)

    assert "somebody else decides it" in page
    assert 'value="decide"' not in page


def test_a_persons_own_case_is_not_theirs_to_tend(chief, superuser, case):
    MembershipFactory(user=superuser, organisation=case.organisation)

    page = text(chief, case)
    acts = [do(chief, case, act, until="hour") for act in ("take", "put_back", "snooze")]

    assert 'value="take"' not in page
    assert 'value="snooze"' not in page
    assert 'value="comment"' in page
    for answer in acts:
        assert told(answer) == [f"{case}: {OwnCase()}"]
    assert case.notes.count() == 0


def test_a_persons_own_decided_case_is_not_theirs_to_open_again(chief, superuser, ana):
    case = CaseFactory(organisation=MembershipFactory(user=superuser).organisation)
    close_case(case=case, closed_by=ana, reason="Explained.")

    page = text(chief, case)
    answer = do(chief, case, "reopen", reason="I want it.")

    assert 'value="reopen"' not in page
    assert "somebody else decides it" in page
    assert told(answer) == [f"{case}: {OwnCase()}"]


def test_an_operator_does_not_see_who_gave(staff_in):
    gift = in_ledger(OrganisationFactory(), donor_email="zoe@example.org", donor_name="Zoe Secret")
    case = hold_settled(gift).case

    hidden, shown = (text(staff_in(group), case) for group in ("operator", "reviewer"))

    assert "zoe@example.org" in shown
    assert "Zoe Secret" in shown
    assert "zoe@example.org" not in hidden
    assert "Zoe Secret" not in hidden
    assert "<h2>The donor</h2>" in hidden
    assert "Your account may not see this" in hidden
    assert "Your account may not see this" not in shown


def test_an_operator_sees_neither_an_applicants_people_nor_their_papers(staff_in):
    applicant = ApplicantFactory(status="applied")
    member = MembershipFactory(organisation=applicant, user__name="Zoe Secret", role="owner")
    paper = DocumentFactory(organisation=applicant)
    case = CaseFactory(organisation=applicant, kind="application", subject=applicant.id)

    hidden, shown = (text(staff_in(group), case) for group in ("operator", "reviewer"))

    for words in (member.user.email, "Zoe Secret", paper.name):
        assert words in shown
        assert words not in hidden
    assert hidden.count("Your account may not see this") == 2
    where = f"/admin/organisations/organisation/{applicant.pk}/change/"
    assert paper.name in staff_in("reviewer").get(where).content.decode()
    assert paper.name not in staff_in("operator").get(where).content.decode()


def test_buttons_say_what_is_held_after_a_part_was_given_back(chief, case):
    charge = BalanceTransaction.objects.get().charge
    given_back = movement("refund", -90_000, source="re_1", charge=charge, donation_id=case.gift)
    book_all(case.organisation, given_back)

    page = text(chief, case)

    assert "Release: 300.00 EUR" in page
    assert "Give back: 300.00 EUR" in page
    assert "is still held" in page
    assert "1,200.00 EUR" not in page


def test_who_may_only_look_sees_no_buttons_and_does_nothing(staff_with, case):
    client = staff_with("reviews.view_case")

    page = text(client, case)
    answers = [do(client, case, act, reason="Mine.") for act in ("take", "comment", "decide")]

    assert "may look at cases, and not decide them" in page
    assert 'name="act"' not in page
    assert {answer.status_code for answer in answers} == {403}
    assert case.notes.count() == 0


def test_who_may_not_look_sees_nothing(staff_with, case):
    assert staff_with().get(url(case)).status_code == 403


def test_a_case_that_is_not_there_leads_back(chief, db):
    assert chief.get("/admin/reviews/case/case_1/change/").status_code == 302


def test_a_case_is_taken_and_put_back(chief, superuser, case):
    assert told(do(chief, case, "take")) == [f"{case}: taken: it is yours."]
    case.refresh_from_db()
    assert case.assigned_to == superuser

    do(chief, case, "put_back")
    case.refresh_from_db()
    assert case.assigned_to is None


def test_a_case_is_handed_over_to_who_may_decide_it(chief, ana, case, staff_with):
    group = Group.objects.create(name="Deciders")
    group.permissions.add(Permission.objects.get(codename="decide_case"))
    by_group = UserFactory(is_staff=True)
    by_group.groups.add(group)
    staff_with("reviews.decide_case")
    own = User.objects.exclude(user_permissions=None).get()
    UserFactory(is_staff=True)

    offered = chief.get(url(case)).context["deciders"]
    page = do(chief, case, "hand_over", to=ana.pk, reason="You know them.")

    assert set(offered) == {ana, by_group, own}
    assert told(page) == [f"{case}: handed over to Ana."]
    case.refresh_from_db()
    assert case.assigned_to == ana
    assert "You know them." in page.content.decode()


@pytest.mark.parametrize("to", ["", "usr_1"])
def test_a_case_is_handed_over_to_somebody(chief, case, to):
    page = do(chief, case, "hand_over", to=to)

    assert "Choose to whom you hand the case over." in told(page)


def test_who_may_no_longer_decide_is_handed_nothing(chief, case):
    gone = UserFactory(is_staff=True, is_superuser=True, is_active=False)

    do(chief, case, "hand_over", to=gone.pk)

    case.refresh_from_db()
    assert case.assigned_to is None


@pytest.mark.parametrize(
    ("fields", "days"), [({"until": "tomorrow"}, 1), ({"until": "day"}, 3), ({"until": "week"}, 0)]
)
def test_a_case_is_put_off_until_a_morning(chief, case, fields, days):
    today = timezone.now().date()
    on = today + timedelta(days=days or 7 - today.weekday())

    page = do(chief, case, "snooze", on=on, **fields)

    case.refresh_from_db()
    assert f"{case.snoozed_until:%Y-%m-%d %H:%M}" == f"{on} 09:00"
    assert "put off until" in page.content.decode()


def test_a_case_is_put_off_for_an_hour(chief, case):
    before = timezone.now()

    do(chief, case, "snooze", until="hour", reason="Lunch.")

    case.refresh_from_db()
    hour = timedelta(hours=1)
    assert before + hour <= case.snoozed_until <= timezone.now() + hour


@pytest.mark.parametrize("fields", [{}, {"until": "day"}, {"until": "never"}])
def test_a_case_is_put_off_until_some_moment(chief, case, fields):
    page = do(chief, case, "snooze", **fields)

    assert "Choose until when you put the case off." in told(page)
    case.refresh_from_db()
    assert case.snoozed_until is None


def test_what_is_said_stays_with_the_case(chief, case):
    page = do(chief, case, "comment", reason="I wrote to them.\nNo answer yet.")
    empty = do(chief, case, "comment")

    assert "I wrote to them.<br>No answer yet." in page.content.decode()
    assert told(empty) == [f"{case}: Write what you want to say."]


def test_a_decided_case_is_opened_again(chief, superuser):
    case = CaseFactory()
    close_case(case=case, closed_by=superuser, reason="A fee.")

    without = do(chief, case, "reopen")
    page = do(chief, case, "reopen", reason="It was no fee.")

    assert told(without) == [f"{case}: {ReasonMissing()}"]
    assert told(page) == [f"{case}: opened again."]
    assert "opened 2 times" in page.content.decode()
    assert "decided: Close" in page.content.decode()


def test_what_moved_money_is_not_opened_again(chief, anas, case):
    for client in (chief, anas):
        do(client, case, "decide", choice="release", reason="Known.")

    assert told(do(chief, case, "reopen", reason="No.")) == [f"{case}: {CaseSettled()}"]


@pytest.mark.parametrize("reason", ["\0", "x" * 2001])
def test_what_cannot_be_kept_is_not_taken(chief, case, reason):
    page = do(chief, case, "comment", reason=reason)

    assert len(told(page)) == 1
    assert case.notes.count() == 0


def test_an_unknown_act_does_nothing(chief, case):
    do(chief, case, "burn", reason="It is cold.")

    assert case.notes.count() == LogEntry.objects.count() == 0


def test_lines_of_choices_that_are_gone_are_shown_as_they_are(chief):
    note = NoteFactory(kind="decided", text="melt: It was old.")

    page = text(chief, note.case)

    assert str(note) == "decided"
    assert "decided: melt" in page
    assert "It was old." in page


def test_a_case_of_nobody_in_particular_has_a_page(chief):
    assert "nobody yet" in text(chief, CaseFactory(organisation=None))


def test_what_is_put_off_says_so(chief, case):
    do(chief, case, "snooze", until="hour")

    assert "put off until" in text(chief, case)


def test_a_page_that_was_loaded_before_more_was_found_decides_nothing(chief, case):
    loaded = text(chief, case)
    assert f'name="round" value="{case.round}"' in loaded
    say_more(case=case, text="To be looked at because of: New bank details.")

    answer = do(chief, case, "decide", choice="release", reason="Known.", round=case.round)

    [words] = told(answer)
    assert "More was found since you opened this case." in words
    assert not Decision.objects.exists()
    assert "more was found" in text(chief, case)
