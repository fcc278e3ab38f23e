"""Connecting Stripe accounts, at the real sandbox: a new one, one that is there, and each no."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe
from django.test import Client
from django.utils import timezone

from common.stripe_api import client
from organisations.errors import AnotherStripeAccount
from organisations.models import ConnectAttempt, Membership, Organisation, StripeAccountState
from organisations.services import account_states, applications, connecting
from tests.factories import ApplicantFactory, MembershipFactory, OrganisationFactory

MISSING = "Answer what Stripe asks for your account"
STRIPE = "/dashboard/lantern/stripe"
APPLICATION = "/dashboard/lantern/application"
pytestmark = pytest.mark.django_db


def browser_post(url, **fields):
    return requests.post(url, data=fields, allow_redirects=False, timeout=10)


def begin(browser, path="connect"):
    """Press the button, and return where it leads."""
    response = browser.post(f"{STRIPE}/{path}")
    assert response.status_code == 303, response.content
    return response.url


def choose(browser, url, account="new", decision="connect", country="BE"):
    """Choose an account on Stripe's page; return the path on which one comes back."""
    answer = browser_post(url, account=account, decision=decision, country=country)
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}" == "http://localhost:8000"
    return f"{back.path}?{back.query}"


def connect(browser, **chosen):
    return browser.get(choose(browser, begin(browser), **chosen))


def state_of(organisation):
    return StripeAccountState.objects.get(organisation=organisation)


def told(response):
    return response.content.decode()


def is_ours(account):
    """Tell whether Stripe still lets us act for an account."""
    try:
        client().v1.accounts.retrieve_current(options={"stripe_account": str(account)})
    except stripe.PermissionError:
        return False
    return True


def reload(organisation):
    return Organisation.objects.get(pk=organisation.pk)


def test_a_new_account_is_made_and_filled_in_at_stripe(sandbox_stripe, browser, draft):
    page = told(browser.get(APPLICATION))
    assert "Create a Stripe account" in page
    link = begin(browser, "open")
    account = reload(draft).stripe_account
    assert account.startswith("acct_")
    made = client().v1.accounts.retrieve(account)
    assert (made.controller.losses.payments, made.controller.fees.payer) == ("stripe", "account")
    assert made.controller.stripe_dashboard.type == "full"
    assert made.metadata["organisation_id"] == draft.id

    due = made.requirements.currently_due
    back = browser_post(link, fields=[key for key in due if key != "company.tax_id"])

    path = urlsplit(back.headers["Location"]).path
    assert path == f"{STRIPE}/back"
    page = told(browser.get(path, follow=True))
    assert "Its tax number" in page
    assert "Takes no payments yet" in page
    assert "Stripe waits for information that is overdue." in page
    again = begin(browser, "open")
    browser_post(again, fields="company.tax_id")
    page = told(browser.get(path, follow=True))
    assert "Takes payments" in page
    assert state_of(draft).details_submitted
    assert Organisation.objects.count() == 1


def test_two_clicks_make_one_account(sandbox_stripe, browser, draft):
    begin(browser, "open")
    first = reload(draft).stripe_account
    Organisation.objects.update(stripe_account=None)  # as if we had been killed in between

    begin(browser, "open")

    assert reload(draft).stripe_account == first


def test_a_link_that_is_over_leads_to_a_new_one(sandbox_stripe, browser):
    assert browser.get(f"{STRIPE}/refresh").url == APPLICATION
    used = begin(browser, "open")
    browser_post(used)

    refreshed = requests.get(used, allow_redirects=False, timeout=10).headers["Location"]
    response = browser.get(urlsplit(refreshed).path)

    assert response.url.startswith(sandbox_stripe.url)
    assert response.url != used


def test_an_account_that_is_there_is_connected(sandbox_stripe, browser, draft):
    url = begin(browser)
    asked = {name: texts[0] for name, texts in parse_qs(urlsplit(url).query).items()}
    assert (asked["response_type"], asked["scope"]) == ("code", "read_write")
    assert asked["redirect_uri"] == "http://localhost:8000/connect/stripe/return"
    assert len(asked["state"]) >= 40
    assert asked["state"] not in str(list(ConnectAttempt.objects.values()))
    assert str(ConnectAttempt.objects.get()) == "attempt of Lantern"

    response = browser.get(choose(browser, url))

    assert (response.status_code, response.url) == (303, APPLICATION)
    state = state_of(draft)
    assert (state.charges_enabled, state.details_submitted) == (True, True)
    assert reload(draft).stripe_account
    row = str([*StripeAccountState.objects.values(), *Organisation.objects.values()])
    assert "sk_test" not in row
    assert "rt_" not in row


def test_a_way_back_works_once(sandbox_stripe, browser):
    back = choose(browser, begin(browser))
    browser.get(back)

    again = browser.get(back)

    assert again.status_code == 400
    assert "was used before" in told(again)


def test_a_way_back_is_of_one_browser(sandbox_stripe, browser, draft, owner):
    back = choose(browser, begin(browser))
    other = Client()
    other.force_login(owner.user)

    for response in (other.get(back), browser.get("/connect/stripe/return?state=made-up&code=x")):
        assert response.status_code == 400
        assert "does not belong to what you began" in told(response)
    assert reload(draft).stripe_account is None
    assert browser.get(back).status_code == 303


def test_a_way_back_has_half_an_hour(sandbox_stripe, browser, draft):
    back = choose(browser, begin(browser))
    ConnectAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=31))

    response = browser.get(back)

    assert (response.status_code, "more than half an hour" in told(response)) == (400, True)
    assert reload(draft).stripe_account is None


def test_who_says_no_is_told_that_nothing_happened(sandbox_stripe, browser, draft):
    response = browser.get(choose(browser, begin(browser), decision="cancel"))

    assert response.status_code == 400
    assert "You said no at Stripe" in told(response)
    assert reload(draft).stripe_account is None


def test_a_code_that_stripe_does_not_know_connects_nothing(sandbox_stripe, browser, draft):
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]

    response = browser.get("/connect/stripe/return", {"state": state, "code": "ac_made_up"})

    assert response.status_code == 502
    assert "Stripe refused" in told(response)
    assert reload(draft).stripe_account is None


def test_an_owner_who_is_one_no_longer_connects_nothing(sandbox_stripe, browser, draft):
    back = choose(browser, begin(browser))
    MembershipFactory(organisation=draft, role="owner")
    Membership.objects.order_by("id").filter(id=Membership.objects.earliest("id").id).update(
        role="admin"
    )

    assert "Only an owner" in told(browser.get(back))
    assert reload(draft).stripe_account is None


def test_an_account_belongs_to_one_organisation(sandbox_stripe, browser, draft):
    taken = client().v1.accounts.create({"country": "BE", "type": "standard"}).id
    ApplicantFactory(stripe_account=taken)

    response = connect(browser, account=taken)

    assert response.status_code == 409
    assert "belongs to another organisation" in told(response)
    assert reload(draft).stripe_account is None
    assert is_ours(taken)


def test_a_draft_may_choose_again(sandbox_stripe, browser, draft):
    connect(browser)
    first = reload(draft).stripe_account

    connect(browser, country="JP")

    assert reload(draft).stripe_account != first
    assert is_ours(reload(draft).stripe_account)
    assert not is_ours(first)


def test_a_draft_keeps_the_account_that_it_chooses_twice(sandbox_stripe, browser, draft):
    connect(browser)
    account = reload(draft).stripe_account

    connect(browser, account=account)

    assert is_ours(account)
    assert reload(draft).stripe_account == account


def test_what_one_account_may_do_is_not_said_of_the_next(sandbox_stripe, browser, draft):
    connect(browser)
    assert ("stripe", MISSING) not in applications.missing_of(draft)
    back = choose(browser, begin(browser), country="JP")
    sandbox_stripe.control("outage", status=500)

    page = told(browser.get(back, follow=True))

    assert "Stripe does not answer" in page
    state = state_of(draft)
    assert (state.charges_enabled, state.payouts_enabled, state.read_at) == (False, False, None)
    assert state.capabilities == {}
    assert ("stripe", MISSING) in applications.missing_of(reload(draft))


def test_an_account_that_let_us_go_before_does_not_hold_up_the_next(
    sandbox_stripe, browser, draft, caplog
):
    connect(browser)
    first = reload(draft).stripe_account
    sandbox_stripe.control(f"accounts/{first}/deauthorize")

    response = connect(browser, country="JP")

    assert response.url == APPLICATION
    assert reload(draft).stripe_account != first
    [said] = [record for record in caplog.records if record.message == "account not given back"]
    assert said.account == first


def test_a_refusal_is_said_also_when_the_account_cannot_be_given_back(house, settings, caplog):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    client.cache_clear()

    with pytest.raises(AnotherStripeAccount):
        connecting.attach_account(organisation=house, account="acct_another")

    assert reload(house).stripe_account == house.stripe_account
    assert "account not given back" in caplog.messages


def test_an_account_of_another_mode_is_refused(sandbox_stripe, browser, draft, settings):
    account = client().v1.accounts.create({"country": "BE", "type": "standard"}).id
    back = choose(browser, begin(browser), account=account)
    settings.STRIPE_LIVEMODE = True

    response = browser.get(back)

    assert (response.status_code, "in another mode" in told(response)) == (409, True)
    assert reload(draft).stripe_account is None
    assert not is_ours(account)


@pytest.fixture
def house(sandbox_stripe, db) -> Organisation:
    """A public organisation with an account at the sandbox."""
    account = client().v1.accounts.create({"country": "BE", "type": "standard"}).id
    return OrganisationFactory(slug="lantern", name="Lantern", stripe_account=account)


@pytest.fixture
def keeper(house) -> Client:
    """A browser in which its owner has signed in."""
    client = Client()
    client.force_login(MembershipFactory(organisation=house).user)
    return client


def test_who_disconnected_connects_the_same_account_again(sandbox_stripe, house, keeper):
    account = house.stripe_account
    sandbox_stripe.control(f"accounts/{account}/deauthorize")
    account_states.read_states()
    page = told(keeper.get(STRIPE))
    assert "Disconnected since" in page
    assert "Create a Stripe account" not in page
    refused = keeper.post(f"{STRIPE}/open", follow=True)
    assert "connect it again" in told(refused)

    another = client().v1.accounts.create({"country": "BE", "type": "standard"}).id
    other = connect(keeper, account=another)
    assert (other.status_code, "belongs to another Stripe account" in told(other)) == (409, True)
    assert not is_ours(another)
    response = connect(keeper, account=account)

    assert response.url == STRIPE
    state = state_of(house)
    assert (state.disconnected_at, state.refused_at, state.charges_enabled) == (None, None, True)
    assert "Takes payments" in told(keeper.get(STRIPE))


def test_when_stripe_is_away_that_is_said_and_nothing_is_lost(sandbox_stripe, house, keeper):
    sandbox_stripe.control("outage", status=500)

    for response in (
        keeper.post(f"{STRIPE}/open", follow=True),
        keeper.get(f"{STRIPE}/back", follow=True),
    ):
        assert "Stripe does not answer at the moment" in told(response)
    assert not StripeAccountState.objects.exclude(read_at=None).exists()


def test_coming_back_without_an_account_changes_nothing(browser):
    assert browser.get(f"{STRIPE}/back").url == APPLICATION


def test_without_a_client_id_nobody_is_sent_to_oauth(browser, settings):
    settings.STRIPE_CLIENT_ID = ""

    assert "Connect an existing one" not in told(browser.get(APPLICATION))


def test_an_admin_sees_the_account_and_leaves_it_to_owners(client, draft, settings):
    client.force_login(MembershipFactory(organisation=draft, role="admin").user)

    page = told(client.get(STRIPE))

    assert "Owners of Lantern connect its Stripe account." in page
    assert client.post(f"{STRIPE}/connect").status_code == 403


def test_old_attempts_are_forgotten(sandbox_stripe, draft):
    for days in (2, 0):
        connecting.begin_connecting(organisation=draft, session_key="s")
        ConnectAttempt.objects.update(created_at=timezone.now() - timedelta(days=days))

    assert ConnectAttempt.objects.count() == 1
