"""Passkeys in a real browser, whose authenticator is Chromium's own virtual one."""

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import BrowserContext, Page, expect

from organisations.models import Mail, User
from tests.factories import PASSWORD, MembershipFactory, OrganisationFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def context(chromium, live_server, settings):
    """A browser that has what passkeys need: an address that is localhost, and a device."""
    settings.REQUIRE_SECOND_FACTOR = True
    address = live_server.url.replace("127.0.0.1", "localhost")
    context = chromium.new_context(base_url=address)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page whose device holds passkeys."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return page


@pytest.fixture
def ines() -> User:
    """An owner who has no second factor yet."""
    user = UserFactory(email="ines@example.org", name="Ines")
    MembershipFactory(organisation=OrganisationFactory(slug="pond", name="Pond"), user=user)
    return user


def sign_in(page: Page) -> None:
    """Sign in with the password."""
    page.get_by_label("E-mail address").fill("ines@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def add_passkey(page: Page) -> None:
    """Be led from the organisation's page to a first passkey."""
    page.goto("/dashboard/pond/members")
    sign_in(page)
    expect(page.get_by_role("heading", name="First a second step of signing in")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name of the passkey").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")


def sign_out(page: Page) -> None:
    """Sign out."""
    page.goto("/dashboard")
    page.get_by_role("button", name="Sign out").click()


def test_an_owner_adds_a_passkey_and_signs_in_with_it_alone(page, ines):
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    add_passkey(page)
    sign_out(page)

    page.goto("/dashboard/pond/members")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Members")
    assert complaints == []
    assert Authenticator.objects.get(type="webauthn").user == ines
    assert [mail.subject for mail in Mail.objects.all()] == ["Your account has another passkey"]


def test_after_the_password_a_passkey_is_the_second_step(page, ines):
    add_passkey(page)
    sign_out(page)

    page.goto("/dashboard/pond/members")
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("The second step")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Members")


def test_a_passkey_confirms_who_one_is_and_is_removed(page, ines):
    add_passkey(page)
    sign_out(page)
    ines.set_unusable_password()
    ines.save(update_fields=["password"])
    page.goto("/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your organisations")

    page.goto("/account")
    page.get_by_role("link", name="Remove Laptop").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove the passkey").click()

    expect(page.get_by_text("None yet.")).to_be_visible()
    assert not ines.has_second_factor()


def test_a_device_without_a_passkey_says_what_else_there_is(page, ines):
    page.goto("/sign-in")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("Try again, or choose another way.")).to_be_visible()


def test_without_javascript_no_passkey_is_offered(chromium, live_server, ines):
    with chromium.new_context(base_url=live_server.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/sign-in")

        expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
        sign_in(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Your organisations")
