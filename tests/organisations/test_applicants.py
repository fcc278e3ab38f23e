"""The beginning of an application: by who is signed in, or by a link that was mailed."""

import json
import re
import time
from io import StringIO

import pytest
from django.core import signing
from django.core.management import call_command
from django.test import Client

from organisations.errors import SlugTaken
from organisations.models import Mail, Membership, Organisation, User
from organisations.services import applications
from tests.factories import PASSWORD, OrganisationFactory, UserFactory

ADDRESS = "zoe@example.org"
START = {"organisation": "Lantern House", "country": "BE"}
FORM_TOKEN = re.compile(r'value="\w{64}"')
PERSON = {"name": "Zoë", "password": PASSWORD}
pytestmark = pytest.mark.django_db


def ask(client, email=ADDRESS):
    """Ask for a link; return the page that says what to do."""
    response = client.post("/apply", {"email": email})
    assert response.status_code == 303
    return client.get(response.url).content.decode()


def path_in(mail):
    """Return the path of a mail's link."""
    return re.search(r"http://localhost:8000(/\S+)", mail.body)[1]


@pytest.fixture
def link(client) -> str:
    """The link that was mailed to somebody who has no account."""
    ask(client)
    return path_in(Mail.objects.get())


def errors(response):
    return dict(response.context["form"].errors)


def test_somebody_new_proves_an_address_and_owns_a_draft(client):
    page = client.get("/apply").content.decode()
    assert 'href="/sign-in?next=/apply"' in page
    assert "Look into your mail" in ask(client, "Zoe@example.org")
    [mail] = Mail.objects.all()
    assert (mail.recipient, mail.subject) == (ADDRESS, "Begin your application")
    assert f"You sign in with {ADDRESS}" in client.get(path_in(mail)).content.decode()

    response = client.post(path_in(mail), START | PERSON)

    assert (response.status_code, response.url) == (302, "/dashboard/lantern-house/application")
    organisation = Organisation.objects.get()
    assert (organisation.status, organisation.currency) == ("draft", "EUR")
    membership = Membership.objects.get()
    assert (membership.role, membership.user.email) == ("owner", ADDRESS)
    assert client.get(response.url).status_code == 200


def test_without_the_mail_nobody_gets_an_account_with_an_address(client):
    typed = START | PERSON | {"email": "treasurer@charity.example", "person": "Zoë"}
    for path in ("/apply", "/apply/begin", "/apply/begin?token=treasurer@charity.example"):
        client.post(path, typed)
    assert not User.objects.exists()

    OrganisationFactory(slug="pond")
    member = {"organisation": "pond", "email": "treasurer@charity.example", "role": "owner"}
    output = StringIO()
    call_command("add_member", **member, stdout=output)

    # A new person, whose password the operator hands out.
    password = json.loads(output.getvalue())["password"]
    assert User.objects.get().check_password(password)
    assert not User.objects.get().check_password(PASSWORD)


def test_nobody_but_who_reads_the_mail_learns_who_has_an_account(client):
    UserFactory(email="ann@example.org")

    pages = (ask(Client(), email) for email in ("ANN@example.org", ADDRESS))
    known, unknown = (FORM_TOKEN.sub("", page) for page in pages)

    assert known == unknown
    mail = Mail.objects.get(recipient="ann@example.org")
    assert mail.subject == "You have an account: sign in to apply"
    assert path_in(mail) == "/sign-in?next=/apply"
    assert client.get(path_in(mail)).status_code == 200


def test_a_link_works_for_three_days(client, link, monkeypatch):
    sent_at = time.time()
    monkeypatch.setattr(time, "time", lambda: sent_at + 3 * 86400 - 60)
    assert client.get(link).status_code == 200

    monkeypatch.setattr(time, "time", lambda: sent_at + 3 * 86400 + 60)
    assert client.post(link, START | PERSON).status_code == 410


@pytest.mark.parametrize("salt", ["donations.link", "organisations"])
def test_a_link_that_is_not_ours_says_how_to_get_another(client, salt):
    path = f"/apply/begin?token={signing.dumps(ADDRESS, salt=salt)}"

    for response in (client.get(path), client.post(path, START | PERSON)):
        assert response.status_code == 410
        assert 'href="/apply">Ask for another</a>' in response.content.decode()
    assert not User.objects.exists()


def test_a_link_makes_one_account(client, link):
    assert client.post(link, START | PERSON).status_code == 302
    other = Client()

    for response in (other.get(link), other.post(link, START | PERSON)):
        assert response.status_code == 409
        assert 'href="/sign-in?next=/apply">Sign in</a>' in response.content.decode()
    assert client.get(link).status_code == 409
    assert Organisation.objects.count() == 1


def test_who_is_signed_in_already_applies_as_who_they_are(client, link):
    client.force_login(UserFactory(email="ann@example.org"))

    response = client.get(link, follow=True)

    assert response.redirect_chain == [("/apply", 303)]
    assert "You apply as ann@example.org." in response.content.decode()
    assert User.objects.count() == 1


def test_who_is_signed_in_is_asked_for_no_password(client):
    client.force_login(UserFactory())

    response = client.post("/apply", START)

    assert response.status_code == 303
    assert User.objects.count() == 1


def test_nobody_fills_the_place_with_names(client):
    user = UserFactory()
    client.force_login(user)
    for _ in range(applications.DRAFTS_MAX):
        assert client.post("/apply", START).status_code == 303

    response = client.post("/apply", START)

    assert "several applications under way" in response.content.decode()
    assert Organisation.objects.count() == applications.DRAFTS_MAX
    Organisation.objects.filter(slug="lantern-house").update(status="applied")
    assert client.post("/apply", START).status_code == 303


def test_a_network_address_applies_so_often_an_hour(client):
    for number in range(20):
        ask(client, f"person{number}@example.org")

    refused = client.post("/apply", {"email": "one-more@example.org"})

    assert refused.status_code == 429
    assert "Wait a few minutes" in refused.content.decode()
    assert Mail.objects.count() == 20
    assert client.get("/apply").status_code == 200
    ask(Client(REMOTE_ADDR="192.0.2.7"), "one-more@example.org")


def test_nobodys_mailbox_is_filled_whoever_asks():
    pages = [
        ask(Client(REMOTE_ADDR=f"192.0.2.{number}"), email)
        for number, email in enumerate([ADDRESS, "Zoe@example.org"] * 4)
    ]

    assert all("Look into your mail" in page for page in pages)
    assert Mail.objects.filter(recipient=ADDRESS).count() == 5


@pytest.mark.parametrize("email", ["", "nobody"])
def test_what_is_no_address_is_told_at_its_field(client, email):
    response = client.post("/apply", {"email": email})

    assert (response.status_code, [*errors(response)]) == (400, ["email"])
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "password1234"}, "password"),
        ({"password": ""}, "password"),
        ({"password": ADDRESS}, "password"),
        ({"organisation": ""}, "organisation"),
        ({"organisation": "Lan\u202etern"}, "organisation"),
        ({"country": "XX"}, "country"),
        ({"name": "a" * 121}, "name"),
        ({"name": "Zo\u202e"}, "name"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_kept(client, link, changes, field):
    response = client.post(link, START | PERSON | changes)

    assert response.status_code == 400
    assert [*errors(response)] == [field]
    assert (User.objects.count(), Organisation.objects.count()) == (0, 0)


def test_a_person_is_kept_with_their_draft_or_not_at_all(link, monkeypatch):
    monkeypatch.setattr(applications, "SLUG_ATTEMPTS", 0)
    OrganisationFactory(slug="lantern-house")
    client = Client()

    with pytest.raises(SlugTaken):
        client.post(link, START | PERSON)

    assert not User.objects.exists()
    assert "sessionid" not in client.cookies
