"""Signing in and out, passwords and addresses: by django-allauth, on our pages and by our mail."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from allauth import account, mfa
from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.utils import timezone

from organisations import sessions
from organisations.models import Mail, User
from tests.factories import PASSWORD, MembershipFactory, OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db
OTHER = "another horse battery staple"
MAIL = re.compile(r'"(?:account|mfa)/email/(\w+)"')
# Mails of what is switched off, and what switches it on.
NEVER_SENT = {
    "account_already_exists": lambda: get_adapter().is_open_for_signup(None),
    "email_confirmation_signup": lambda: get_adapter().is_open_for_signup(None),
    "login_code": lambda: app_settings.LOGIN_BY_CODE_ENABLED,
    "password_reset_code": lambda: app_settings.PASSWORD_RESET_BY_CODE_ENABLED,
    "unknown_account": lambda: app_settings.EMAIL_UNKNOWN_ACCOUNTS,
}
LINK = re.compile(r"http://localhost:8000(/\S+)")


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.org", name="Ann")


@pytest.fixture
def browser(ann):
    """Ann's browser."""
    client = Client()
    client.force_login(ann)
    return client


def sign_in(client, email, password, path="/sign-in", **fields):
    return client.post(path, {"username": email, "password": password, **fields})


def mails(recipient):
    """Return the subjects of the mail that waits for somebody."""
    return [mail.subject for mail in Mail.objects.filter(recipient=recipient).order_by("id")]


def link_to(recipient):
    """Return the path of the link in the last mail to somebody."""
    return LINK.search(Mail.objects.filter(recipient=recipient).latest("id").body)[1]


# Attempts are counted


def test_attempts_on_an_account_are_counted_for_all_processes_together(client, ann):
    for _ in range(5):
        assert sign_in(client, ann.email, "wrong").status_code == 400
    caches["memory"].clear()  # another process has another memory
    refused = sign_in(Client(REMOTE_ADDR="192.0.2.7"), ann.email, PASSWORD)

    assert refused.status_code == 400
    assert "There were too many attempts" in refused.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM organisations_cache WHERE cache_key LIKE '%login%'")
        assert cursor.fetchone()[0] > 0


def test_attempts_on_one_account_do_not_shut_another_out(ann):
    for number in range(5):
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), ann.email, "wrong")
    bob = UserFactory(email="bob@example.org")

    assert sign_in(Client(), bob.email, PASSWORD).status_code == 302


def test_attempts_from_one_address_are_counted_over_all_accounts(client):
    for number in range(10):
        sign_in(client, f"person{number}@example.org", "wrong")
    bob = UserFactory(email="bob@example.org")

    assert sign_in(client, bob.email, PASSWORD).status_code == 400
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), bob.email, PASSWORD).status_code == 302


def test_behind_a_proxy_the_address_is_the_one_that_it_adds(settings):
    settings.TRUSTED_PROXY_COUNT = 1
    bob = UserFactory(email="bob@example.org")
    for number in range(10):
        headers = {"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.1"}
        sign_in(Client(headers=headers), f"person{number}@example.org", "wrong")

    near = Client(headers={"X-Forwarded-For": "10.0.0.9, 192.0.2.1"})
    far = Client(headers={"X-Forwarded-For": "10.0.0.9, 192.0.2.2"})

    assert sign_in(near, bob.email, PASSWORD).status_code == 400
    assert sign_in(far, bob.email, PASSWORD).status_code == 302


def test_a_header_with_too_few_addresses_is_no_error(settings, ann):
    settings.TRUSTED_PROXY_COUNT = 2
    browser = Client(headers={"X-Forwarded-For": "192.0.2.1"})

    assert sign_in(browser, ann.email, PASSWORD).status_code == 302


def test_who_sends_form_after_form_is_told_to_wait(client, ann):
    statuses = [sign_in(client, ann.email, "").status_code for _ in range(31)]
    page = sign_in(client, ann.email, "")

    assert statuses == [400] * 30 + [429]
    assert "Wait a few minutes" in page.content.decode()


# The same answer, whoever has an account


def test_nobody_signs_up_by_themselves(client, rf):
    from organisations.accounts import AccountAdapter

    assert not AccountAdapter().is_open_for_signup(rf.get("/"))
    for path in ("/sign-up", "/account/signup", "/signup"):
        assert client.get(path).status_code == 404


def test_a_forgotten_password_is_set_anew_by_mail(client, ann):
    elsewhere = Client()
    elsewhere.force_login(ann)
    asked = client.post("/password", {"email": "ANN@example.org"}, follow=True)
    path = link_to(ann.email)
    seen = client.get(path, follow=True)
    form = seen.request["PATH_INFO"]
    weak = client.post(form, {"password1": "ann@example.org", "password2": "ann@example.org"})
    done = client.post(form, {"password1": OTHER, "password2": OTHER}, follow=True)

    assert "Look into your mail" in asked.content.decode()
    assert path.rpartition("-")[2] not in form  # no other site sees the token as the referrer
    assert "Error: Set another password" in weak.content.decode()
    assert "Your password is set" in done.content.decode()
    assert mails(ann.email) == ["Set another password", "Your password was changed"]
    assert elsewhere.get("/account").status_code == 302
    assert sign_in(Client(), ann.email, OTHER).status_code == 302
    assert "This link does not work" in Client().get(path).content.decode()


def test_who_has_no_account_is_told_the_same_and_gets_no_mail(client, ann):
    known = client.post("/password", {"email": ann.email})
    unknown = client.post("/password", {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert mails("nobody@example.org") == []


def test_links_lead_to_our_own_address_whatever_host_was_asked(ann, settings):
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"host": "evil.example"}).post("/password", {"email": ann.email})

    assert link_to(ann.email).startswith("/password/")
    assert "evil.example" not in Mail.objects.get().body


def test_a_set_password_lets_somebody_in_who_was_shut_out(client, ann):
    for _ in range(5):
        sign_in(client, ann.email, "wrong")
    client.post("/password", {"email": ann.email})
    form = client.get(link_to(ann.email), follow=True).request["PATH_INFO"]
    client.post(form, {"password1": OTHER, "password2": OTHER})

    assert User.objects.get().check_password(OTHER)


# Changing


def confirm(client, password=PASSWORD):
    """Confirm who one is."""
    return client.post("/account/confirm", {"password": password})


def test_a_password_is_changed_by_who_knows_it(browser, ann):
    elsewhere = Client()
    elsewhere.force_login(ann)
    fields = {"password1": OTHER, "password2": OTHER}

    wrong = browser.post("/account/password", {"oldpassword": "wrong", **fields})
    done = browser.post("/account/password", {"oldpassword": PASSWORD, **fields})

    assert "This is not your present password." in wrong.content.decode()
    assert done["Location"] == "/account"
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert mails(ann.email) == ["Your password was changed"]


def test_who_has_no_password_sets_one(ann):
    ann.set_unusable_password()
    ann.save(update_fields=["password"])
    browser = Client()
    browser.force_login(ann)

    led = browser.get("/account/password")
    browser.post("/account/password/set", {"password1": OTHER, "password2": OTHER})

    assert led["Location"] == "/account/password/set"
    assert User.objects.get().check_password(OTHER)
    assert mails(ann.email) == ["Your account has a password now"]


def change_address(browser, address):
    """Ask for another address, having confirmed who one is."""
    confirm(browser)
    return browser.post("/account/email", {"email": address, "action_add": "yes"}, follow=True)


def test_another_address_signs_in_once_its_mail_was_read(browser, ann):
    asked = browser.post("/account/email", {"email": "x@example.org", "action_add": "yes"})
    assert asked["Location"].startswith("/account/confirm?")  # the password once more

    page = change_address(browser, "Ann@new.example").content.decode()
    assert "A mail went to ann@new.example" in page
    assert User.objects.get().email == "ann@example.org"
    path = link_to("ann@new.example")
    assert "From now on" in browser.get(path).content.decode()
    done = browser.post(path, follow=True)

    assert done.request["PATH_INFO"] == "/account"
    assert "ann@new.example" in done.content.decode()
    assert User.objects.get().email == "ann@new.example"
    assert mails("ann@example.org") == ["You sign in with another address now"]
    assert sign_in(Client(), "ann@new.example", PASSWORD).status_code == 302
    assert "This link does not work" in browser.get(f"{path}x").content.decode()


def test_nobody_gives_their_address_to_another_account_by_a_click(browser, ann):
    change_address(browser, "treasurer@charity.example")
    path = link_to("treasurer@charity.example")
    reader = Client()
    led = [reader.get(path), reader.post(path)]
    reader.force_login(UserFactory(email="bob@example.org"))

    shown, pressed = reader.get(path), reader.post(path)

    assert [response["Location"] for response in led] == [f"/sign-in?next={quote(path)}"] * 2
    assert "This link does not work" in shown.content.decode()
    assert pressed.status_code == 404
    assert {user.email for user in User.objects.all()} == {"ann@example.org", "bob@example.org"}


def test_an_address_that_waits_can_be_removed(browser, ann):
    change_address(browser, "ann@new.example")
    path = link_to("ann@new.example")

    form = {"action_remove": "1", "email": "ann@new.example"}
    response = browser.post("/account/email", form, follow=True)

    assert response.status_code == 200
    [said] = mails("ann@example.org")
    assert said == "ann@new.example is no address of yours here any more"
    browser.post(path)
    assert User.objects.get().email == "ann@example.org"


def test_every_mail_of_allauth_has_a_text_of_ours_or_is_never_sent(settings):
    sent = {
        name
        for app in (account, mfa)
        for file in Path(app.__file__).parent.rglob("*.py")
        for name in MAIL.findall(file.read_text(encoding="utf-8"))
    }
    ours = {file.stem for file in (settings.BASE_DIR / "templates" / "mail").iterdir()}

    assert {"email_deleted", "webauthn_added"} <= sent
    assert sent - ours == set(NEVER_SENT)
    assert not any(is_on() for is_on in NEVER_SENT.values())


def test_an_address_that_somebody_else_has_is_not_taken_over(browser, ann):
    UserFactory(email="bob@example.org")

    page = change_address(browser, "bob@example.org").content.decode()
    browser.post(link_to("bob@example.org"))

    assert "A mail went to bob@example.org" in page  # which tells nothing about bob
    assert {user.email for user in User.objects.all()} == {"ann@example.org", "bob@example.org"}


def test_ones_own_address_is_no_other(browser, ann):
    page = change_address(browser, ann.email)

    assert "This is your address already." in page.content.decode()


def test_a_wrong_password_confirms_nothing(browser):
    page = confirm(browser, "wrong")

    assert "This is not your password." in page.content.decode()


# Staff


@pytest.fixture
def staff():
    return UserFactory(email="staff@example.org", is_staff=True)


@pytest.mark.parametrize("fields", [{}, {"next": "/admin/"}])
def test_staff_sign_in_where_django_asks_them(client, staff, fields):
    asked = client.get("/admin/", follow=True)
    entered = sign_in(client, staff.email, PASSWORD, "/admin/login/", **fields)

    assert asked.request["PATH_INFO"] == "/admin/login/"
    assert "<h1>Sign in</h1>" in asked.content.decode()
    assert 'name="next" value="/admin/"' in asked.content.decode()
    assert entered["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_an_address_that_staff_change_signs_in_and_the_one_before_does_not(client, browser, ann):
    change_address(browser, "x@example.org")
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    fields = {"email": "Ann@new.example", "name": "Ann", "is_active": "on"}

    client.post(f"/admin/organisations/user/{ann.pk}/change/", fields)

    assert sign_in(Client(), "ann@new.example", PASSWORD).status_code == 302
    assert sign_in(Client(), "ann@example.org", PASSWORD).status_code == 400


def test_who_is_no_staff_is_told_so(browser):
    assert browser.get("/admin/", follow=True).status_code == 403


def test_staff_change_their_password_where_everybody_does(client, staff):
    client.force_login(staff)

    assert client.get("/admin/password_change/")["Location"] == "/account/password"
    assert "a password alone signs in" in client.get("/admin/").content.decode()


# Sessions


def test_a_session_lives_on_while_it_is_used(client, ann, monkeypatch):
    sign_in(client, ann.email, PASSWORD)
    start = client.session[sessions.SEEN_AT]

    soon = client.get("/dashboard")
    monkeypatch.setattr(sessions.time, "time", lambda: start + 3600)
    later = client.get("/dashboard")

    assert "sessionid" not in soon.cookies
    assert later.cookies["sessionid"]["max-age"] == 4 * 60 * 60
    assert client.session[sessions.SEEN_AT] == start + 3600


def test_the_sessions_of_staff_end_after_half_an_hour_without_a_page(client, staff, monkeypatch):
    sign_in(client, staff.email, PASSWORD)
    signed_in = client.cookies["sessionid"]["max-age"]
    start = client.session[sessions.SEEN_AT]

    monkeypatch.setattr(sessions.time, "time", lambda: start + 60)
    later = client.get("/admin/")

    assert (signed_in, later.cookies["sessionid"]["max-age"]) == (1800, 1800)
    [kept] = Session.objects.all()
    assert timedelta() < kept.expire_date - timezone.now() <= timedelta(minutes=30)
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


def test_who_signs_in_once_more_gets_no_longer_session(client, staff):
    for _ in range(2):
        client.force_login(staff)
        session = client.session
        session.set_expiry(4 * 60 * 60)
        session.save()
        client.get("/admin/")

        assert client.session.get_expiry_age() == 1800


def test_what_everybody_sees_alike_sets_no_cookie(browser):
    OrganisationFactory(slug="pond")

    for path in ("/", "/organisations", "/o/pond", "/verify"):
        assert "sessionid" not in browser.get(path).cookies


# What stays unsaid


def test_signing_in_and_out_is_not_announced(client, ann):
    sign_in(client, ann.email, PASSWORD)
    page = client.get("/dashboard").content.decode()

    assert "notice" not in page
    client.post("/sign-out")
    assert "notice" not in client.get("/sign-in").content.decode()


def test_no_log_names_who_signs_in(client, ann, caplog):
    caplog.set_level(logging.DEBUG)
    sign_in(client, ann.email, "wrong")
    sign_in(client, ann.email, PASSWORD)
    client.post("/password", {"email": ann.email})

    assert ann.email not in caplog.text


def test_the_sign_in_page_runs_nothing_inline(client):
    response = client.get("/sign-in")
    page = response.content.decode()

    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "script-src 'self'" in response["Content-Security-Policy"].split("; ")


def test_the_check_finds_real_money_behind_passwords_alone(settings):
    settings.STRIPE_LIVEMODE = True
    assert [each.id for each in run_checks() if "organisations" in str(each.id)] == [
        "organisations.E001"
    ]
    settings.REQUIRE_SECOND_FACTOR = True
    assert [each for each in run_checks() if "organisations" in str(each.id)] == []


def test_counters_live_in_the_database_and_nowhere_else():
    cache.set("counter", 1)

    assert caches["memory"].get("counter") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM organisations_cache")
        assert cursor.fetchone() == (1,)


def test_members_see_their_account_from_every_page(browser, ann):
    MembershipFactory(user=ann, role="viewer")

    assert 'href="/account"' in browser.get("/dashboard").content.decode()
