"""The members' pages: signing in, applications, owners, and the rules for gifts."""

import re
from html import unescape

import pytest
from django.test import Client

from credits import views
from credits.handles import HandleUnknown, handle_of, owner_of
from credits.models import CreditGrant, GrantRule, Owner
from credits.tasks import grant_due
from ledger.models import Entry
from ledger.operations import registered
from ledger.services.corrections import correct_entry
from organisations.models import Membership
from tests.credits.conftest import Program
from tests.factories import (
    PASSWORD,
    ApplicantFactory,
    CreditGrantFactory,
    DonationFactory,
    GrantRuleFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)

PAGE = "/dashboard/lantern/credits"
RULES = "/dashboard/lantern/grant-rules"
RULE = {
    "application": "credits",
    "currency": "EUR",
    "minor_units_per_credit": "250",
    "state": "on",
}


def signed_in(membership) -> Client:
    """Return a member's browser."""
    client = Client()
    client.force_login(membership.user)
    return client


@pytest.fixture
def member(organisation) -> Client:
    """The browser of the organisation's owner."""
    return signed_in(MembershipFactory(organisation=organisation))


def text_of(response, status=200):
    """Return the words of a page, in one line."""
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    words = re.sub(r"<[^>]+>", " ", response.content.decode().partition("<main")[2])
    return " ".join(unescape(words).split())


# Signing in


def test_a_member_signs_in_and_out(client, organisation):
    user = MembershipFactory(organisation=organisation).user
    asked = client.get(PAGE)

    form = {"username": user.email.upper(), "password": PASSWORD, "next": PAGE}
    entered = client.post("/sign-in", form)
    seen = client.get(PAGE)
    left = client.post("/sign-out")

    assert asked["Location"] == f"/sign-in?next={PAGE}"
    assert (entered.status_code, entered["Location"]) == (302, PAGE)
    assert seen.status_code == 200
    assert left["Location"] == "/"
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "nobody@example.org", "password": PASSWORD},
        {"username": "ann@example.org", "password": "wrong"},
        {"username": "gone@example.org", "password": PASSWORD},
        {"username": "\x00", "password": "\x00"},
    ],
)
def test_a_wrong_sign_in_tells_nothing(client, db, form):
    UserFactory(email="ann@example.org")
    UserFactory(email="gone@example.org", is_active=False)

    response = client.post("/sign-in", form)
    page = response.content.decode()

    assert response.status_code == 400
    assert "<title>Error: Sign in" in page
    if form.get("password", "\x00") != "\x00":
        assert "No account has this e-mail address and this password." in unescape(page)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_nowhere_else(client, db, elsewhere):
    user = UserFactory()

    form = {"username": user.email, "password": PASSWORD, "next": elsewhere}

    assert client.post("/sign-in", form)["Location"] == "/dashboard"


def test_a_member_sees_their_organisations(client, organisation):
    user = MembershipFactory(organisation=organisation, role=Membership.Role.VIEWER).user
    MembershipFactory(organisation=ApplicantFactory(name="New Door", slug="new"), user=user)
    OrganisationFactory(name="Strangers")
    client.force_login(user)

    page = client.get("/dashboard")

    words = text_of(page)
    assert "Lantern Viewer Console of Lantern Credits" in words
    assert "New Door Owner Console of New Door Application of New Door Credits" in words
    assert "Strangers" not in words
    assert b'href="/o/new"' not in page.content


def test_who_is_no_member_is_told_whom_to_ask(client, db):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    assert "You are a member of no organisation" in text_of(client.get("/dashboard"))


# Applications


def test_every_application_is_listed_with_what_it_holds(member, program, organisation, program_of):
    program.post("ann", "CREDIT_ADD", "n1", amount=1500)
    program.post("bob", "CREDIT_ADD", "n2", amount=2)
    program.post("ann", "CREDIT_SPEND", "n3", amount=-400)
    program_of(OrganisationFactory()).post("eve", "CREDIT_ADD", "n1", amount=77)

    words = text_of(member.get(PAGE))

    assert "they hold credits 4 2 1,102 Credits for gifts" in words
    assert "77" not in words


def test_an_application_without_a_book_is_listed_too(member):
    response = member.get(PAGE)

    assert "credits nothing yet 0 0 0" in text_of(response)
    assert f'href="{PAGE}/credits"' not in response.content.decode()


def test_a_book_whose_application_is_gone_is_still_shown(member, program, monkeypatch):
    program.post("ann", "CREDIT_ADD", "n1", amount=5)
    monkeypatch.delitem(registered, "credits")

    assert "credits 2 1 5" in text_of(member.get(PAGE))
    assert "ann 5" in text_of(member.get(f"{PAGE}/credits"))


@pytest.mark.parametrize("application", ["public", "arcade", "x-y", "Credits"])
def test_a_book_that_is_not_there_is_a_404(member, program, application):
    program.post("ann", "CREDIT_ADD", "n1")

    assert member.get(f"{PAGE}/{application}").status_code == 404
    assert member.post(f"{PAGE}/{application}/find", {"owner_id": "ann"}).status_code == 404


def test_strangers_see_nothing(organisation, program):
    program.post("ann", "CREDIT_ADD", "n1")
    stranger = signed_in(MembershipFactory())
    handle = handle_of(Owner(organisation, "credits", "ann"))

    for path in (PAGE, f"{PAGE}/credits", f"{PAGE}/credits/owners/{handle}"):
        assert stranger.get(path).status_code == 404
        assert Client().get(path).status_code == 302
    for path in (f"{PAGE}/credits/find", RULES):
        assert stranger.post(path, {"owner_id": "ann"}).status_code == 404


# Owners


def test_owners_are_listed_with_what_they_have(member, program, program_of):
    program_of(OrganisationFactory()).post("mallory", "CREDIT_ADD", "n1")
    program.post("bob", "CREDIT_ADD", "n1", amount=5)
    program.post("bob", "CREDIT_SPEND", "n1-", amount=-3)
    program.post("ann", "CREDIT_ADD", "n2", amount=12345)
    program.post("<b>x</b>", "CONTENT_ACCESS", "n3")

    response = member.get(f"{PAGE}/credits")

    words = text_of(response)
    assert "Owner Credits <b>x</b> 0 ann 12,345 bob 2" in words
    assert "mallory" not in words
    assert b"<b>x</b>" not in response.content


def test_owners_are_paged_by_handles(member, program, monkeypatch):
    monkeypatch.setattr(views, "OWNERS_A_PAGE", 2)
    for number, owner in enumerate(["owner3", "owner1", "owner5", "owner4", "owner2"]):
        program.post(owner, "CREDIT_ADD", f"n{number}")
    url, pages = f"{PAGE}/credits", []

    while url and len(pages) < 4:
        page = member.get(url).content.decode()
        pages.append(re.findall(r"<bdi>(\w+)</bdi>", page))
        found = re.search(rf'href="({PAGE}/credits\?after=[^"]+)"', page)
        url = found and unescape(found[1])
        assert not url or "owner2" not in url

    assert pages == [["owner1", "owner2"], ["owner3", "owner4"], ["owner5"]]
    assert "From the start" in page


def test_a_page_after_nobody_is_a_404(member, program):
    program.post("ann", "CREDIT_ADD", "n1")

    assert member.get(f"{PAGE}/credits?after=xyz").status_code == 404


def test_an_owner_is_found_by_the_exact_id(member, program, organisation):
    program.post("user/4711 é", "CREDIT_ADD", "n1")

    response = member.post(f"{PAGE}/credits/find", {"owner_id": "user/4711 é"})

    handle = handle_of(Owner(organisation, "credits", "user/4711 é"))
    assert response.status_code == 303
    assert response["Location"] == f"{PAGE}/credits/owners/{handle}"


@pytest.mark.parametrize("owner_id", ["", "an", "ann ", "Ann", "%", "\x00", "x" * 5000, "<i>"])
def test_who_is_not_there_is_not_found(member, program, owner_id):
    program.post("ann", "CREDIT_ADD", "n1")

    response = member.post(f"{PAGE}/credits/find", {"owner_id": owner_id})

    assert "Nobody has exactly this id" in text_of(response, 404)
    assert b"<i>" not in response.content


def test_who_looks_for_nobody_finds_nobody(member, program):
    program.post("ann", "CREDIT_ADD", "n1")
    program.post("None", "CREDIT_ADD", "n2")

    response = member.post(f"{PAGE}/credits/find")

    assert "Nobody has exactly this id" in text_of(response, 404)
    assert b'required value=""' in re.sub(rb"\s+", b" ", response.content)


def owner_page(organisation, owner_id="ann", query=""):
    """Return the path of an owner's page."""
    handle = handle_of(Owner(organisation, "credits", owner_id))
    return f"{PAGE}/credits/owners/{handle}{query}"


def test_an_owner_is_shown_with_the_whole_history(member, program, organisation):
    program.post("ann", "CREDIT_ADD", "n1", amount=1200)
    program.post("bob", "CREDIT_ADD", "n2")
    program.post("ann", "CREDIT_SPEND", "n3", amount=-200)
    program.post("ann", "CONTENT_ACCESS", "n4")

    words = text_of(member.get(owner_page(organisation)))

    assert "ann 1,000 CREDIT" in words
    assert re.search(r"4 \d+ \w+ \d+ [\d:]+ Content access n4 0 CREDIT 1,000 CREDIT", words)
    assert re.search(r"3 \d+ \w+ \d+ [\d:]+ Credit spend n3 −200 CREDIT 1,000 CREDIT", words)
    assert re.search(r"1 \d+ \w+ \d+ [\d:]+ Credit add n1 \+1,200 CREDIT 1,200 CREDIT", words)
    assert "n2" not in words


def test_an_owners_history_is_paged(member, program, organisation, monkeypatch):
    monkeypatch.setattr(views, "ENTRIES_A_PAGE", 2)
    for number in range(1, 6):
        program.post("ann", "CREDIT_ADD", f"n{number}", amount=number)

    first = member.get(owner_page(organisation)).content.decode()
    older = text_of(member.get(owner_page(organisation, query="?before=4")))
    last = text_of(member.get(owner_page(organisation, query="?before=1")))

    assert 'href="?before=4"' in first
    assert "Newest" not in first
    assert "n3 +3 CREDIT 6 CREDIT" in older
    assert "n2 +2 CREDIT 3 CREDIT" in older
    assert "Newest Older" in older
    assert "Nothing before this" in last
    for odd in ("x", "-1", "9" * 400, "\x00"):
        assert "n5 +5 CREDIT 15 CREDIT" in text_of(
            member.get(owner_page(organisation), {"before": odd})
        )


def test_a_correction_stands_beside_what_it_took_back(member, program, organisation):
    program.post("ann", "CREDIT_ADD", "n1", amount=7)
    entry = Entry.objects.of(organisation, "credits").get(sequence=1)
    correct_entry(entry=entry, reason="Given twice")

    words = text_of(member.get(owner_page(organisation)))

    assert "Correction Corrects entry 1: Given twice" in words
    assert "Credit add Corrected by entry 2" in words
    assert program.balance("ann") == 0


def test_a_member_can_sign_out_on_every_page(organisation, program):
    program.post("ann", "CREDIT_ADD", "n1")
    user = MembershipFactory(organisation=organisation).user
    for path in (PAGE, f"{PAGE}/credits", owner_page(organisation)):
        member = Client(enforce_csrf_checks=True)
        member.force_login(user)
        page = member.get(path).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]

        assert member.post("/sign-out", {"csrfmiddlewaretoken": token}).status_code in (302, 303)


@pytest.mark.parametrize("handle", ["x", "AAAA", "a-_", "a" * 2000])
def test_a_handle_of_nobody_is_a_404(member, program, handle):
    program.post("ann", "CREDIT_ADD", "n1")

    assert member.get(f"{PAGE}/credits/owners/{handle}").status_code == 404


def test_a_handle_belongs_to_one_book_and_tells_nothing(organisation):
    owner = Owner(organisation, "credits", "é" * 128)

    handle = handle_of(owner)

    assert owner_of(handle, organisation, "credits") == owner
    assert handle == handle_of(owner)
    assert re.fullmatch(r"[\w-]+", handle, re.ASCII)
    for place in ((organisation, "arcade"), (OrganisationFactory(), "credits")):
        with pytest.raises(HandleUnknown):
            owner_of(handle, *place)


def test_every_handle_leads_back_to_its_owner(organisation):
    owners = [Owner(organisation, "credits", str(number)) for number in range(300)]

    assert [owner_of(handle_of(owner), organisation, "credits") for owner in owners] == owners


# Rules


def test_there_is_no_rule_at_first(member):
    assert "No rule yet Gifts grant no credits." in text_of(member.get(PAGE))


def test_an_owner_sets_a_rule(member, organisation):
    response = member.post(RULES, RULE)

    assert (response.status_code, response["Location"]) == (303, PAGE)
    rule = GrantRule.objects.get()
    assert (rule.organisation, rule.currency, rule.minor_units_per_credit) == (
        organisation,
        "EUR",
        250,
    )
    assert rule.is_active
    assert rule.changed_by == Membership.objects.get().user
    assert "credits 2.50 EUR On" in text_of(member.get(PAGE))


def test_rules_are_listed_by_application_and_currency(member, organisation):
    for application, currency in (("b", "EUR"), ("a", "USD"), ("b", "AUD"), ("a", "JPY")):
        GrantRuleFactory(organisation=organisation, application=application, currency=currency)

    words = text_of(member.get(PAGE))

    assert re.search("a 100 JPY.* a 1.00 USD.* b 1.00 AUD.* b 1.00 EUR", words)


def test_a_rule_is_switched_off(member):
    member.post(RULES, RULE)

    member.post(RULES, {**RULE, "state": "off"})

    assert not GrantRule.objects.get().is_active
    assert "credits 2.50 EUR Off" in text_of(member.get(PAGE))


@pytest.mark.parametrize("role", [Membership.Role.FINANCE, Membership.Role.VIEWER])
def test_others_look_and_change_nothing(organisation, role):
    GrantRuleFactory(organisation=organisation)
    member = signed_in(MembershipFactory(organisation=organisation, role=role))

    words = text_of(member.get(PAGE))

    assert "credits 1.00 EUR On" in words
    assert "by the operator" in words
    assert "Owners and admins of Lantern set the rules." in words
    assert member.post(RULES, RULE).status_code == 403
    assert GrantRule.objects.get().minor_units_per_credit == 100


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("application", "public", "Choose one of these applications."),
        ("application", "", "required"),
        ("currency", "XXX", "Choose a currency from the list."),
        ("minor_units_per_credit", "0", "Enter 1 or more."),
        ("minor_units_per_credit", "", "Enter a whole number, such as 100."),
        ("minor_units_per_credit", "1.5", "Enter a whole number in the digits"),
        ("minor_units_per_credit", "9" * 20, "Enter a smaller number."),
        ("state", "", "Choose on or off."),
    ],
)
def test_a_rule_that_is_typed_wrongly_is_asked_for_again(member, field, value, words):
    response = member.post(RULES, {**RULE, field: value})

    page = response.content.decode()
    assert words in text_of(response, 400)
    assert "<title>Error: Credits of Lantern" in page
    assert f'href="#{field}"' in page
    assert f'id="{field}"' in page
    assert not GrantRule.objects.exists()


def chosen_in(response):
    """Return what the form of a rule has chosen."""
    page = response.content.decode()
    chosen = re.findall(r'<option value="(\w+)" selected>', page)
    written = re.search(r'name="minor_units_per_credit"[^>]*\bvalue="([^"]*)"', page)
    checked = re.findall(r'value="(\w+)"[^>]*\bchecked', page)
    return [*chosen, written and written[1], *checked]


def test_a_form_begins_with_one_credit_for_one_unit_of_money(member, organisation):
    assert chosen_in(member.get(PAGE)) == ["EUR", "100", "on"]
    organisation.currency = "JPY"
    organisation.save()
    assert chosen_in(member.get(PAGE)) == ["JPY", "1", "on"]


def test_a_form_keeps_what_was_typed(member):
    typed = {**RULE, "currency": "USD", "minor_units_per_credit": "x", "state": "off"}

    assert chosen_in(member.post(RULES, typed)) == ["credits", "USD", "x", "off"]


def test_a_rule_that_the_service_refuses_is_told(member, organisation, monkeypatch):
    monkeypatch.setitem(registered, "arcade", registered["credits"])
    GrantRuleFactory(organisation=organisation, application="other")

    response = member.post(RULES, RULE)

    assert "switch that rule off first" in text_of(response, 400)
    assert b'<a href="#application">' in response.content


def test_grants_are_counted(member, organisation):
    GrantRuleFactory(organisation=organisation)
    CreditGrantFactory(organisation=organisation)
    assert "1 gift granted credits. 1 of them waits to be written." in text_of(member.get(PAGE))
    grant_due(limit=1)
    assert "1 gift granted credits. Set a rule" in text_of(member.get(PAGE))
    CreditGrantFactory(
        organisation=organisation, donation=DonationFactory(organisation=organisation).id
    )

    assert "2 gifts granted credits. 1 of them waits to be written." in text_of(member.get(PAGE))
    assert str(CreditGrant.objects.first()).startswith("don_")


def test_a_form_needs_its_token(organisation):
    client = Client(enforce_csrf_checks=True)
    client.force_login(MembershipFactory(organisation=organisation).user)

    assert client.post(RULES, RULE).status_code == 403
    assert client.post("/sign-out").status_code == 403


def test_the_pages_ask_little(member, program, django_assert_max_num_queries):
    for number in range(20):
        program.post(f"o{number}", "CREDIT_ADD", f"n{number}")

    member.get(PAGE)  # which notes that the session is in use

    for path, most in ((PAGE, 9), (f"{PAGE}/credits", 7)):
        with django_assert_max_num_queries(most):
            member.get(path)


def test_programs_have_no_business_here(organisation):
    response = Program(organisation).client.get(PAGE)

    assert response.status_code == 302
