"""Invitations: the mail, the link that works once, and the pages on which members are managed."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from organisations.errors import (
    EmailTaken,
    InvitationForAnother,
    InvitationOver,
    InvitationTooOld,
    InvitationUnknown,
    InvitedAlready,
    MayNotManage,
    MemberAlready,
    OwnersOnly,
    TooManyInvitations,
)
from organisations.models import Invitation, Mail, Membership, MembershipChange, User
from organisations.services import invitations
from organisations.services.members import change_role
from tests.factories import (
    PASSWORD,
    InvitationFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)
from tests.ledger.writers import at_once

pytestmark = pytest.mark.django_db
PAGE = "/dashboard/pond/members"
ANN = "ann@example.org"


@pytest.fixture
def pond():
    return OrganisationFactory(slug="pond", name="Pond & Sons")


@pytest.fixture
def owner(pond):
    user = UserFactory(name="Olga")
    return MembershipFactory(organisation=pond, user=user).user


@pytest.fixture
def admin(pond, owner):
    return MembershipFactory(organisation=pond, role="admin").user


@pytest.fixture
def invited(pond, owner):
    return invitations.invite(organisation=pond, email=ANN, role="viewer", by=owner)


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def link():
    """Return the path of the link in the last mail."""
    return re.search(r"http://localhost:8000(/invitations/\S+)", Mail.objects.latest("id").body)[1]


def words(response):
    """Return the words of a page, in one line."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode().partition("<main")[2])
    return " ".join(unescape(text).split())


def later(monkeypatch, **time):
    """Let time pass."""
    moment = timezone.now() + timedelta(**time)
    monkeypatch.setattr(timezone, "now", lambda: moment)


# The service


def test_an_invitation_is_mailed_and_keeps_no_token(pond, owner):
    invitation = invitations.invite(organisation=pond, email=" Ann@X.org", role="finance", by=owner)

    [mail] = Mail.objects.all()
    token = link().partition("?token=")[2]
    assert (mail.recipient, mail.subject) == ("ann@x.org", "Olga invites you to Pond & Sons")
    assert "Pond & Sons on Almoner, as finance" in mail.body
    assert len(token) >= 43
    assert token not in str(Invitation.objects.values())
    assert invitations.find(invitation.id, token) == invitation
    assert str(invitation) == invitation.id


@pytest.mark.parametrize("token", ["", "x", "\udcff"])
def test_another_token_opens_nothing(invited, token):
    with pytest.raises(InvitationUnknown):
        invitations.find(invited.id, token)
    with pytest.raises(InvitationUnknown):
        invitations.find("inv_x", token)


def test_it_makes_a_member_once(invited, owner, pond):
    ann = UserFactory(email=ANN)

    membership = invitations.accept(invitation=invited, user=ann)

    assert (membership.organisation, membership.role) == (pond, "viewer")
    with pytest.raises(InvitationOver):
        invitations.accept(invitation=invited, user=ann)
    kinds = MembershipChange.objects.newest(pond, 9).values_list("kind", "by")
    assert list(kinds) == [("joined", owner.pk), ("invited", owner.pk)]


def test_who_became_a_member_meanwhile_keeps_their_role(invited, pond):
    own = MembershipFactory(organisation=pond, role="admin", user=UserFactory(email=ANN))

    assert invitations.accept(invitation=invited, user=own.user) == own
    assert Membership.objects.get(user=own.user).role == "admin"


def test_it_is_for_nobody_else(invited):
    with pytest.raises(InvitationForAnother):
        invitations.accept(invitation=invited, user=UserFactory())
    assert Invitation.objects.get().is_open


def test_its_link_works_for_seven_days(invited, monkeypatch):
    later(monkeypatch, days=7)

    with pytest.raises(InvitationTooOld):
        invitations.accept(invitation=invited, user=UserFactory(email=ANN))


def test_sent_again_it_has_another_link_for_seven_days_more(invited, owner, monkeypatch):
    first = link().partition("?token=")[2]
    with pytest.raises(TooManyInvitations):
        invitations.send_again(invitation=invited, by=owner)
    later(monkeypatch, days=6)

    invitations.send_again(invitation=invited, by=owner)
    second = link().partition("?token=")[2]

    with pytest.raises(InvitationUnknown):
        invitations.find(invited.id, first)
    later(monkeypatch, days=6)
    assert invitations.find(invited.id, second) == invited


def test_withdrawn_it_is_over(invited, owner, pond):
    invitations.withdraw(invitation=invited, by=owner)

    for attempt in (
        lambda: invitations.withdraw(invitation=invited, by=owner),
        lambda: invitations.send_again(invitation=invited, by=owner),
        lambda: invitations.accept(invitation=invited, user=UserFactory(email=ANN)),
    ):
        with pytest.raises(InvitationOver):
            attempt()
    assert invitations.invite(organisation=pond, email=ANN, role="viewer", by=owner).is_open


def test_one_address_has_one_open_invitation_and_no_member_gets_one(invited, pond, owner):
    with pytest.raises(InvitedAlready):
        invitations.invite(organisation=pond, email=ANN.upper(), role="admin", by=owner)
    with pytest.raises(MemberAlready):
        invitations.invite(organisation=pond, email=owner.email.upper(), role="admin", by=owner)
    with pytest.raises(IntegrityError, match="one_open_invitation_a_person"):
        InvitationFactory(organisation=pond, email=ANN)


def test_an_invitation_ends_once():
    with pytest.raises(IntegrityError, match="invitation_ends_once"):
        InvitationFactory(accepted_at=timezone.now(), withdrawn_at=timezone.now())


def test_an_invitation_is_kept_as_it_is_looked_up():
    with pytest.raises(IntegrityError, match="invitation_has_an_address_in_lower_case"):
        InvitationFactory(email="Ann@example.org")


def test_nobody_fills_strangers_mailboxes(pond, owner, monkeypatch):
    monkeypatch.setattr(invitations, "MAILS_A_DAY_MAX", 1)
    invitations.invite(organisation=pond, email="a@example.org", role="viewer", by=owner)

    with pytest.raises(TooManyInvitations):
        invitations.invite(organisation=pond, email="b@example.org", role="viewer", by=owner)
    later(monkeypatch, days=1)
    invitations.invite(organisation=pond, email="b@example.org", role="viewer", by=owner)


def again(invitation, by):
    """Send an invitation again, as if the pause after the last mail were over."""
    Invitation.objects.update(expires_at=timezone.now())
    return invitations.send_again(invitation=invitation, by=by)


def test_what_is_sent_again_counts_like_what_is_sent_first(invited, pond, owner, monkeypatch):
    monkeypatch.setattr(invitations, "MAILS_A_DAY_MAX", 2)
    again(invited, owner)

    with pytest.raises(TooManyInvitations):
        again(invited, owner)
    with pytest.raises(TooManyInvitations):
        invitations.invite(organisation=pond, email="b@example.org", role="viewer", by=owner)
    later(monkeypatch, days=1)
    again(invited, owner)


def test_one_address_gets_a_few_mails_a_day_whatever_is_withdrawn_between(invited, pond, owner):
    for _ in range(invitations.MAILS_TO_ONE_A_DAY_MAX - 1):
        again(invited, owner)

    with pytest.raises(TooManyInvitations):
        again(invited, owner)
    invitations.withdraw(invitation=invited, by=owner)
    with pytest.raises(TooManyInvitations):
        invitations.invite(organisation=pond, email=ANN, role="viewer", by=owner)
    invitations.invite(organisation=pond, email="b@example.org", role="viewer", by=owner)


def test_owners_are_invited_by_owners(pond, owner, admin):
    with pytest.raises(OwnersOnly):
        invitations.invite(organisation=pond, email=ANN, role="owner", by=admin)
    offer = invitations.invite(organisation=pond, email=ANN, role="owner", by=owner)
    with pytest.raises(OwnersOnly):
        invitations.withdraw(invitation=offer, by=admin)
    with pytest.raises(MayNotManage):
        invitations.withdraw(invitation=offer, by=UserFactory())


def test_an_invitation_ends_with_the_right_of_its_sender(pond, owner, admin):
    offer = invitations.invite(organisation=pond, email=ANN, role="viewer", by=admin)
    change_role(membership=Membership.objects.get(user=admin), role="viewer", by=owner)

    with pytest.raises(InvitationOver):
        invitations.accept(invitation=offer, user=UserFactory(email=ANN))


def test_an_invitation_ends_with_the_account_of_its_sender(pond, admin):
    offer = invitations.invite(organisation=pond, email=ANN, role="viewer", by=admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)

    with pytest.raises(InvitationOver):
        invitations.accept(invitation=offer, user=UserFactory(email=ANN))
    with pytest.raises(MayNotManage):
        invitations.invite(organisation=pond, email="b@example.org", role="viewer", by=admin)


def test_a_new_person_is_made_with_their_part_or_not_at_all(invited, owner):
    UserFactory(email=ANN)

    with pytest.raises(EmailTaken):
        invitations.accept_as_new_person(invitation=invited, name="Ann", password=PASSWORD)
    assert Invitation.objects.get().is_open


@pytest.mark.django_db(transaction=True)
def test_two_who_open_the_link_at_once_join_once(invited, pond):
    ann = UserFactory(email=ANN)

    def join():
        return invitations.accept(invitation=invited, user=ann)

    outcomes = at_once(join, join)

    assert {type(each) for each in outcomes} == {Membership, InvitationOver}
    assert Membership.objects.filter(user=ann).count() == 1


# The link


def test_somebody_new_makes_an_account_and_is_in(invited, client):
    path = link()
    asked = client.get(path)
    refused = client.post(path, {"name": "", "password": "password"})
    empty = client.post(path, {"name": "Ann"})
    joined = client.post(path, {"name": "Ann\nRoe", "password": PASSWORD}, follow=True)

    assert "Join Pond & Sons Olga invites ann@example.org as viewer." in words(asked)
    assert refused.status_code == 400
    assert "3 things to correct" in words(refused)
    assert "Fill this in." in words(empty)
    assert joined.request["PATH_INFO"] == "/dashboard"
    assert "You are a member of Pond & Sons now." in words(joined)
    ann = User.objects.get(email=ANN)
    assert (ann.name, ann.check_password(PASSWORD)) == ("Ann Roe", True)
    assert "withdrawn" in words(Client().get(path))


def test_a_password_that_is_the_address_is_refused(invited, client):
    response = client.post(link(), {"name": "Ann", "password": ANN})

    assert response.status_code == 400
    assert not User.objects.filter(email=ANN).exists()


def test_who_has_an_account_signs_in_and_joins(invited, client):
    UserFactory(email=ANN)
    path = link()

    asked = client.get(path)
    way = re.search(r'href="(/sign-in[^"]+)"', asked.content.decode())[1]
    entered = client.post(unescape(way), {"username": ANN, "password": PASSWORD})
    shown = client.get(entered["Location"])
    joined = client.post(path, follow=True)

    assert "You have an account with this address." in words(asked)
    assert client.post(path).status_code == 409  # a second time
    assert entered["Location"] == path
    assert "Join as viewer" in words(shown)
    assert "Pond & Sons Viewer" in words(joined)


def test_who_is_signed_in_as_somebody_else_is_told_so(invited):
    bob = UserFactory(email="bob@example.org")
    other = browser(bob)
    path = link()

    refused = other.get(path)

    assert refused.status_code == 409
    assert "You are signed in as bob@example.org. Sign out" in words(refused)
    assert other.post(path).status_code == 409
    assert other.post("/sign-out", {"next": path})["Location"] == path
    assert not Membership.objects.filter(user=bob).exists()


def test_a_link_that_is_not_whole_says_whom_to_ask(invited, client):
    response = client.get(link()[:-1])

    assert response.status_code == 404
    assert "Ask whoever invited you to send it again." in words(response)


# The pages


def test_every_member_sees_who_takes_part(pond, owner, invited):
    viewer = MembershipFactory(organisation=pond, role="viewer", user=UserFactory(name="Vic")).user

    seen = words(browser(viewer).get(PAGE))

    assert f"Olga {owner.email} Owner Vic you {viewer.email} Viewer Leave" in seen
    assert "Olga invited ann@example.org as viewer." in seen
    assert "Send again" not in seen
    assert "Owners and admins of Pond & Sons invite and change members." in seen


def test_a_member_is_invited_on_the_page(pond, owner):
    page = browser(owner)

    wrong = page.post(f"{PAGE}/invite", {"email": "ann", "role": "king"})
    done = page.post(f"{PAGE}/invite", {"email": ANN, "role": "admin"}, follow=True)
    twice = page.post(f"{PAGE}/invite", {"email": ANN, "role": "admin"})

    assert wrong.status_code == 400
    assert "Choose one of these." in words(wrong)
    assert "The invitation to ann@example.org is on its way." in words(done)
    assert "ann@example.org Admin works until" in words(done)
    assert twice.status_code == 400
    assert "The address has an open invitation" in words(twice)


def test_an_admin_is_offered_what_admins_may(pond, owner, admin):
    page = browser(admin)
    seen = page.get(PAGE)
    refused = page.post(f"{PAGE}/invite", {"email": ANN, "role": "owner"})

    assert 'value="owner"' not in seen.content.decode()
    assert f"{PAGE}/{Membership.objects.get(user=owner).pk}" not in seen.content.decode()
    assert refused.status_code == 400


def test_an_invitation_is_sent_again_and_withdrawn_on_the_page(pond, owner, invited, monkeypatch):
    page = browser(owner)
    here = f"{PAGE}/invitations/{invited.id}"

    soon = page.post(f"{here}/again", follow=True)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    seen = page.get(PAGE)
    again = page.post(f"{here}/again", follow=True)
    withdrawn = page.post(f"{here}/withdraw", follow=True)

    assert "try again later" in words(soon)
    assert "Too old" in words(seen)
    assert "Another invitation to ann@example.org is on its way" in words(again)
    assert "Olga sent the invitation to ann@example.org again." in words(again)
    assert "Olga withdrew the invitation to ann@example.org." in words(withdrawn)
    assert Mail.objects.count() == 2


def test_a_role_is_changed_and_ended_on_the_page(pond, owner):
    vic = MembershipFactory(organisation=pond, role="viewer", user=UserFactory(name="Vic"))
    page = browser(owner)
    here = f"{PAGE}/{vic.pk}"

    asked = page.get(here)
    wrong = page.post(here, {"role": "king"})
    given = page.post(here, {"role": "finance"}, follow=True)
    removed = page.post(f"{here}/remove", follow=True)

    assert "Vic Viewer of Pond & Sons" in words(asked)
    assert wrong.status_code == 400
    assert "Vic is now finance." in words(given)
    assert "Olga made Vic finance, before viewer." in words(given)
    assert "Vic is no member any more." in words(removed)
    assert "Olga removed Vic, finance." in words(removed)
    assert page.get(here).status_code == 404


def test_what_is_refused_is_said_on_the_page(pond, owner):
    own = Membership.objects.get(user=owner)

    page = browser(owner).post(f"{PAGE}/{own.pk}", {"role": "viewer"}, follow=True)

    assert "Nobody changes their own role" in words(page)


def test_who_leaves_is_gone_and_the_last_owner_stays(pond, owner):
    vic = MembershipFactory(organisation=pond, role="viewer", user=UserFactory(name="Vic")).user
    page = browser(vic)

    asked = page.get(f"{PAGE}/leave")
    left = page.post(f"{PAGE}/leave", follow=True)
    stayed = browser(owner).post(f"{PAGE}/leave", follow=True)

    assert "Leave Pond & Sons?" in words(asked)
    assert "You have left Pond & Sons." in words(left)
    assert page.get(PAGE).status_code == 404
    assert "An organisation keeps an owner" in words(stayed)
    assert "Vic left, viewer." in words(stayed)


def test_others_members_and_invitations_are_not_there(pond, owner, invited):
    stranger = MembershipFactory(organisation=OrganisationFactory(slug="lake"))
    page = browser(stranger.user)
    lake = "/dashboard/lake/members"
    vic = MembershipFactory(organisation=pond, role="viewer")

    assert page.get(f"{lake}/{vic.pk}").status_code == 404
    assert page.post(f"{lake}/{vic.pk}/remove").status_code == 404
    assert page.post(f"{lake}/invitations/{invited.id}/again").status_code == 404
    assert page.post(f"{lake}/invitations/{invited.id}/withdraw").status_code == 404
