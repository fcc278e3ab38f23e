"""The second step of signing in: who needs it, and codes from an app."""

import re
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import Permission
from django.test import Client

from common.vault import vault
from organisations.accounts import PURPOSE, SecondFactorAdapter
from organisations.models import Mail, Membership, User
from tests.factories import PASSWORD, MembershipFactory, OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/dashboard/pond/credits"
STEP = 60_000_000


@pytest.fixture(autouse=True)
def required(settings, monkeypatch):
    """Ask for second factors; an app's clock and ours stand still."""
    settings.REQUIRE_SECOND_FACTOR = True
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: STEP * 30.0))


@pytest.fixture
def pond():
    return OrganisationFactory(slug="pond", name="Pond")


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def code(secret, at):
    """Return what an app shows so many steps from now."""
    return totp.format_hotp_value(totp.hotp_value(secret, STEP + at))


def add_app(client):
    """Confirm who one is, and add an app; return its secret and the last page."""
    client.post("/account/confirm", {"password": PASSWORD})
    page = client.get("/account/codes").content.decode()
    secret = re.search(r'hash--full">([A-Z2-7]+)<', page)[1]
    return secret, client.post("/account/codes", {"code": code(secret, 0)}, follow=True)


@pytest.mark.parametrize("role", Membership.Role)
def test_who_moves_money_or_chooses_who_does_is_led_to_set_one_up(pond, role):
    client = browser(MembershipFactory(organisation=pond, role=role).user)

    response = client.get(PAGE)

    if role in {"owner", "admin", "finance"}:
        assert (response.status_code, response["Location"]) == (303, "/account")
        page = client.get("/account").content.decode()
        assert "You answer for the money of Pond, or choose who does." in page
    else:
        assert response.status_code == 200
        assert "First a second step" not in client.get("/account").content.decode()


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_a_post_is_stopped_as_well(pond, role):
    client = browser(MembershipFactory(organisation=pond, role=role).user)

    response = client.post("/dashboard/pond/members/invite", {"email": "a@b.org", "role": "viewer"})

    assert response["Location"] == "/account"
    assert not Mail.objects.exists()


def test_staff_are_led_to_set_one_up_before_their_pages_open():
    client = browser(UserFactory(is_staff=True, is_superuser=True))

    for path in ("/admin/", "/admin/organisations/user/", "/admin/login/"):
        response = client.get(path, follow=True)
        assert response.request["PATH_INFO"] == "/account"
    assert "as staff of this site" in response.content.decode()
    add_app(client)

    page = client.get("/admin/").content.decode()
    assert "a password alone signs in" not in page


def test_an_app_is_added_and_asked_for(pond):
    user = MembershipFactory(organisation=pond).user
    client = browser(user)
    led = client.get("/account/codes")

    secret, page = add_app(client)

    assert led["Location"] == "/account/confirm?next=%2Faccount%2Fcodes"
    assert "Your recovery codes" in page.content.decode()
    assert client.get(PAGE).status_code == 200
    other = Client()
    step = other.post("/sign-in", {"username": user.email, "password": PASSWORD, "next": PAGE})
    assert step["Location"].startswith("/sign-in/second")
    assert other.get(PAGE).status_code == 302  # the password alone opens nothing
    wrong = other.post(step["Location"], {"code": "000000"})
    assert "This code is not right" in wrong.content.decode()
    entered = other.post(step["Location"], {"code": code(secret, 0)})
    assert entered["Location"] == PAGE
    assert other.get(PAGE).status_code == 200


def test_a_code_works_once(pond):
    user = UserFactory()
    secret, _ = add_app(browser(user))
    used = code(secret, 0)

    def enter():
        client = Client()
        step = client.post("/sign-in", {"username": user.email, "password": PASSWORD})
        return client.post(step["Location"], {"code": used}).status_code

    assert [enter(), enter()] == [302, 200]


def test_codes_cannot_be_guessed_by_the_thousand():
    user = UserFactory()
    secret, _ = add_app(browser(user))
    client = Client()
    step = client.post("/sign-in", {"username": user.email, "password": PASSWORD})

    for _ in range(5):
        client.post(step["Location"], {"code": "000000"})
    refused = client.post(step["Location"], {"code": code(secret, 0)})

    assert "There were too many attempts" in refused.content.decode()


def test_a_recovery_code_signs_in_once():
    user = UserFactory()
    _, page = add_app(browser(user))
    recovery = re.search(r'hash--full">(\d{8})<', page.content.decode())[1]

    def enter():
        client = Client()
        step = client.post("/sign-in", {"username": user.email, "password": PASSWORD})
        return client.post(step["Location"], {"code": recovery}).status_code

    assert [enter(), enter()] == [302, 200]


def test_others_take_the_place_of_recovery_codes():
    client = browser(UserFactory())
    _, page = add_app(client)

    asked = client.get("/account/recovery-codes/new")
    made = client.post("/account/recovery-codes/new", follow=True)

    assert "Those you have now will not work any more." in asked.content.decode()
    before, after = (
        set(re.findall(r'hash--full">(\d{8})<', each.content.decode())) for each in (page, made)
    )
    assert (len(before), len(after), before & after) == (10, 10, set())


def test_an_app_is_removed_by_who_confirms_it(django_capture_on_commit_callbacks):
    client = browser(UserFactory())
    with django_capture_on_commit_callbacks(execute=True):
        add_app(client)
    shown = client.get("/account").content.decode()

    asked = client.get("/account/codes/remove")
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/codes/remove")

    assert "asks for a code from your app" in shown
    assert "Stop asking for codes" in asked.content.decode()
    assert not User.objects.get().has_second_factor()
    assert [mail.subject for mail in Mail.objects.order_by("id")] == [
        "An app shows codes for your account",
        "Your account asks for no codes any more",
    ]


def test_what_matters_is_confirmed_by_a_code_too():
    client = browser(UserFactory())
    secret, _ = add_app(client)

    page = client.get("/account/confirm/code").content.decode()
    done = client.post(
        "/account/confirm/code?next=/account/passkeys/add", {"code": code(secret, 1)}
    )

    assert "What comes next matters" in page
    assert "Use your password" in page
    assert done["Location"] == "/account/passkeys/add"


@pytest.mark.parametrize("is_superuser", [True, False])
def test_superusers_help_who_has_lost_their_device(settings, is_superuser):
    settings.REQUIRE_SECOND_FACTOR = False
    user = UserFactory()
    add_app(browser(user))
    staff = UserFactory(is_staff=True, is_superuser=is_superuser)
    staff.user_permissions.set(Permission.objects.filter(codename="view_user"))

    done = browser(staff).post(
        "/admin/organisations/user/",
        {"action": "remove_second_factors", "_selected_action": [user.pk]},
        follow=True,
    )

    assert user.has_second_factor() == (not is_superuser)
    assert ("second factors removed" in done.content.decode()) == is_superuser
    assert [mail.subject for mail in Mail.objects.filter(recipient=user.email)] == (
        ["Your account has no second factor any more"] if is_superuser else []
    )


def test_secrets_are_kept_encrypted_and_survive_a_new_key(settings):
    user = UserFactory()
    secret, _ = add_app(browser(user))

    kept = Authenticator.objects.get(type="totp").data["secret"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert secret not in str(list(Authenticator.objects.values()))
    assert SecondFactorAdapter().decrypt(kept) == secret
    assert vault(PURPOSE, settings.SECRET_KEY_FALLBACKS).decrypt(kept).decode() == secret
    with pytest.raises(InvalidToken):
        vault("another purpose", settings.SECRET_KEY_FALLBACKS).decrypt(kept)


def test_a_link_by_mail_does_not_stand_in_for_the_second_step():
    user = UserFactory()
    add_app(browser(user))
    client = Client()
    client.post("/password", {"email": user.email})
    body = Mail.objects.latest("id").body
    form = client.get(re.search(r"(/password/\S+)", body)[1], follow=True).request["PATH_INFO"]
    other = "another horse battery staple"
    client.post(form, {"password1": other, "password2": other})

    step = client.post("/sign-in", {"username": user.email, "password": other})

    assert step["Location"].startswith("/sign-in/second")
