"""The donors' own pages: in by a mailed link, for an hour, to their gifts and to nobody else's."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from common.logs import JsonFormatter
from donations.models import Donation, DonorKnock, DonorVisit, RecurringGift
from donations.services.visits import ADDRESS_MAX, SENDER_MAX
from donations.tasks import forget_visits
from organisations.models import Mail
from tests.donations.refunds import in_ledger
from tests.factories import NOON, DonationFactory, RecurringGiftFactory
from tests.recurring.conftest import EMAIL, NEVER

LINK = re.compile(r"http://localhost:8000(/me/open\?token=\S+)")


@pytest.fixture
def given(organisation) -> Donation:
    """A gift that somebody made."""
    return DonationFactory(
        organisation=organisation, donor_email=EMAIL, paid_at=NOON, status="paid"
    )


def ask(client, email=EMAIL, **more):
    return client.post("/me", {"email": email}, **more)


def link() -> str:
    """Return the link of the last mail."""
    found = LINK.search(Mail.objects.latest("id").body)
    assert found
    return found[1]


def come_in(client: Client, email: str = EMAIL) -> Client:
    """Ask for a link, open it and press the button."""
    ask(client, email)
    page = client.get(link()).content.decode()
    [token] = re.findall(r'name="token" value="([^"]+)"', page)
    response = client.post("/me/open", {"token": token})
    assert (response.status_code, response["Location"]) == (303, "/me")
    return client


def test_a_donor_comes_in_by_a_mailed_link_and_sees_every_gift(client, given):
    asked = ask(client)
    page = come_in(client).get("/me")

    assert (asked.status_code, asked["Location"]) == (303, "/me?asked")
    text = page.content.decode()
    assert f"/donations/{given.id}?token={given.token}" in text
    assert "Eau Vive" in text
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    cookie = client.cookies["almoner_donor"]
    assert (cookie["path"], cookie["max-age"], cookie["httponly"]) == ("/me", 3600, True)
    assert cookie["samesite"] == "Lax"


def test_the_answer_is_the_same_whether_or_not_an_address_gave(client, given):
    known, unknown = ask(client), ask(client, "nobody@example.org")

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert known.content == unknown.content
    assert [mail.recipient for mail in Mail.objects.all()] == [EMAIL]
    assert "Look into your mail" in client.get("/me?asked").content.decode()


@pytest.mark.parametrize("email", ["", "zoe", "zoe@example", "a\0@example.org"])
def test_what_is_no_address_is_said(client, db, email):
    response = ask(client, email)

    assert response.status_code == 400
    assert 'href="#email"' in response.content.decode()
    assert not DonorKnock.objects.exists()


def test_a_program_that_opens_the_link_does_not_use_it_up(client, given):
    ask(client)
    for _ in range(3):
        assert Client().get(link()).status_code == 200

    come_in(client)

    assert client.get("/me").content.decode().count("Eau Vive") >= 1


def test_a_link_is_good_once(client, given):
    come_in(client)
    used = Client()

    visit = DonorVisit.objects.get(opened_at__isnull=False)
    token = signing.dumps(visit.id, salt="donations.link")
    for response in (
        used.get("/me/open", {"token": token}),
        used.post("/me/open", {"token": token}),
    ):
        assert response.status_code == 410
        assert "Ask for a new link" in response.content.decode()
    assert "almoner_donor" not in used.cookies


def test_a_link_is_good_for_half_an_hour(client, given):
    ask(client)
    DonorVisit.objects.update(created_at=timezone.now() - timedelta(minutes=30))

    assert client.get(link()).status_code == 410


@pytest.mark.parametrize("token", ["", "x", "IjEi:1vMgk4:abc"])
def test_what_is_no_link_opens_nothing(client, db, token):
    assert client.get("/me/open", {"token": token}).status_code == 410
    assert client.post("/me/open", {"token": token}).status_code == 410


def test_a_pass_is_no_link_and_a_link_no_pass(client, given):
    ask(client)
    visit = DonorVisit.objects.get()
    client.cookies["almoner_donor"] = signing.dumps(visit.id, salt="donations.link")
    assert "Send me a link" in client.get("/me").content.decode()

    passed = signing.dumps(visit.id, salt="donations.visit")

    assert client.post("/me/open", {"token": passed}).status_code == 410


def test_a_visit_lasts_an_hour(client, given):
    come_in(client)
    DonorVisit.objects.update(opened_at=timezone.now() - timedelta(hours=1))

    assert "Send me a link" in client.get("/me").content.decode()


def test_who_leaves_is_out(client, given):
    come_in(client)
    cookie = client.cookies["almoner_donor"].value

    left = client.post("/me/close")

    assert (left.status_code, left["Location"]) == (303, "/me")
    client.cookies["almoner_donor"] = cookie
    assert "Send me a link" in client.get("/me").content.decode()
    assert not DonorVisit.objects.exists()
    assert client.post("/me/close").status_code == 303


def test_what_is_over_is_forgotten_though_nobody_asks_again(client, given):
    now = timezone.now()
    for times in (
        {"created_at": now - timedelta(minutes=30)},
        {"created_at": now - timedelta(hours=2), "opened_at": now - timedelta(hours=1)},
    ):
        visit = DonorVisit.objects.create(email=EMAIL)
        DonorVisit.objects.filter(id=visit.id).update(**times)
    DonorKnock.objects.create(who="0" * 64, hour=now - timedelta(days=2))
    ask(client)
    assert (DonorVisit.objects.count(), DonorKnock.objects.count()) == (3, 3)

    forget_visits(timestamp=0)

    assert DonorVisit.objects.get().opened_at is None
    assert DonorKnock.objects.count() == 2
    assert client.get(link()).status_code == 200
    assert str(DonorVisit.objects.get()).startswith("visit of 20")
    assert str(DonorKnock.objects.first()).startswith("1 in 20")


def test_an_address_gets_so_many_links_an_hour(client, given):
    answers = {ask(client).content for _ in range(ADDRESS_MAX + 2)}
    answers |= {ask(client, EMAIL.upper()).content}

    assert Mail.objects.count() == ADDRESS_MAX
    assert len(answers) == 1


def test_a_network_address_asks_for_so_many_links_an_hour(client, given):
    for number in range(SENDER_MAX):
        assert ask(client, f"n{number}@example.org").status_code == 303

    refused = ask(client)

    assert refused.status_code == 429
    assert "try again in an hour" in refused.content.decode()
    assert not Mail.objects.exists()
    assert ask(client, REMOTE_ADDR="192.0.2.7").status_code == 303
    assert Mail.objects.count() == 1


def test_behind_a_proxy_one_visitor_does_not_shut_the_door_for_all(client, given, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(SENDER_MAX):
        ask(client, f"n{number}@example.org", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 192.0.2.1")

    assert ask(client, HTTP_X_FORWARDED_FOR="10.0.0.99, 192.0.2.1").status_code == 429
    assert ask(client, HTTP_X_FORWARDED_FOR="10.0.0.99, 192.0.2.2").status_code == 303


def test_no_knock_tells_who_it_was(client, given):
    ask(client)

    for knock in DonorKnock.objects.all():
        assert re.fullmatch(r"[0-9a-f]{64}", knock.who)


def test_capitals_make_no_difference_and_other_letters_do(client, organisation):
    mine = DonationFactory(organisation=organisation, donor_email="Mike@Example.org", paid_at=NOON)
    DonationFactory(organisation=organisation, donor_email="m\u0131ke@example.org", paid_at=NOON)
    DonationFactory(organisation=organisation, donor_email="mike@e\u212aample.org", paid_at=NOON)

    page = come_in(client, "mike@example.org").get("/me").content.decode()

    assert page.count("/donations/") == 1
    assert mine.id in page
    assert not Donation.objects.by("m\u0131KE@example.org").filter(id=mine.id).exists()


def test_nobody_sees_the_gifts_of_others_and_nobody_unpaid_ones(client, given, organisation):
    others = DonationFactory(organisation=organisation, donor_email="a@example.org", paid_at=NOON)
    unpaid = DonationFactory(organisation=organisation, donor_email=EMAIL)
    RecurringGiftFactory(organisation=organisation, donor_email=EMAIL)

    page = come_in(client).get("/me").content.decode()

    assert given.id in page
    assert others.id not in page
    assert unpaid.id not in page
    assert "Gifts that repeat" not in page


def test_each_gift_says_how_it_stands_as_members_read_it(client, given):
    come_in(client)
    promised = client.get("/me").content.decode()
    for status, sums in {
        "settled": {},
        "disputed": {"disputed_amount": 5000},
        "refunded": {"refunded_amount": 5000},
        "partially_refunded": {"refunded_amount": 1},
    }.items():
        gift = in_ledger(given.organisation, donor_email=EMAIL)
        Donation.objects.filter(id=gift.id).update(status=status, **sums)

    page = client.get("/me").content.decode()

    assert "Paid, not in the ledger yet" in promised
    for words in ("In the ledger", "Disputed", "Given back</span>", "Given back in part"):
        assert page.count(words) == 1


def test_two_gifts_that_look_alike_say_what_each_is_for(client, organisation):
    alike = {"organisation": organisation, "donor_email": EMAIL, "started_at": NOON}
    for fund in ("wells", "general"):
        RecurringGiftFactory(**alike, fund=fund, status="active")
    wells = RecurringGift.objects.get(fund="wells")

    page = come_in(client).get("/me").content.decode()
    asked = client.get(f"/me/gifts/{wells.id}/cancel").content.decode()
    changed = client.get(f"/me/gifts/{wells.id}/amount").content.decode()

    for fund in ("Wells", "General"):
        assert f'every month for <span class="purpose">{fund}</span>' in page
        assert f"your gift to Eau Vive for {fund}</span>" in page
    for text in (asked, changed):
        assert 'every month for <span class="purpose">Wells</span>' in text


def test_a_gift_that_repeats_is_paused_changed_and_ended_by_its_donor(client, giver):
    giver.pay()
    giver.tell()
    here = f"/me/gifts/{giver.recurring.id}"
    page = come_in(client).get("/me").content.decode()
    assert "every month" in page
    assert f'action="{here}/pause"' in page

    assert client.post(f"{here}/pause")["Location"] == "/me"
    assert "nothing is taken" in client.get("/me").content.decode()
    assert client.post(f"{here}/resume")["Location"] == "/me"
    asked = client.get(f"{here}/amount").content.decode()
    assert "Now 10.00 EUR" in asked
    assert client.post(f"{here}/amount", {"amount": "25.50"}).status_code == 303
    assert "25.50" in client.get("/me").content.decode()
    assert "End my gift" in client.get(f"{here}/cancel").content.decode()
    assert giver.recurring.status == "active"
    assert client.post(f"{here}/cancel")["Location"] == "/me"

    page = client.get("/me").content.decode()
    assert "Ended" in page
    assert "/o/eau-vive/donate" in page
    assert f"{here}/pause" not in page
    assert giver.recurring.status == "ended"


def test_a_page_that_was_left_open_pauses_again_what_went_on_elsewhere(client, giver):
    giver.pay()
    giver.tell()
    here = f"/me/gifts/{giver.recurring.id}"
    page = come_in(client).get("/me").content.decode()
    [form] = re.findall(rf'action="{here}/pause".*?</form>', page, re.DOTALL)
    left_open = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert client.post(f"{here}/pause", left_open).status_code == 303
    assert client.post(f"{here}/resume").status_code == 303

    assert client.post(f"{here}/pause", left_open).status_code == 303

    account = giver.organisation.stripe_account
    subscription = giver.sandbox.find("subscriptions", giver.subscription, account)
    assert subscription["pause_collection"]["behavior"] == "void"
    assert giver.recurring.status == "paused"


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_what_a_form_carries_besides_does_no_harm(client, giver, action):
    giver.pay()
    giver.tell()
    come_in(client)

    response = client.post(f"/me/gifts/{giver.recurring.id}/{action}", {"key": "\0"})

    assert response.status_code == 303


@pytest.mark.parametrize("typed", ["", "7,5", "0.50", "1.000"])
def test_an_amount_that_is_unclear_or_out_of_range_is_refused(client, giver, typed):
    giver.pay()
    giver.tell()
    come_in(client)

    response = client.post(f"/me/gifts/{giver.recurring.id}/amount", {"amount": typed})

    assert response.status_code == 400
    assert 'href="#amount"' in response.content.decode()
    assert giver.recurring.amount == 1000


def test_stripe_down_is_said_and_nothing_changed(client, giver):
    giver.pay()
    giver.tell()
    come_in(client)
    here = f"/me/gifts/{giver.recurring.id}"
    giver.sandbox.control("outage", status=500)

    answers = [
        client.post(f"{here}/pause"),
        client.post(f"{here}/cancel"),
        client.post(f"{here}/amount", {"amount": "20"}),
    ]

    for answer in answers:
        assert answer.status_code == 503
        assert "Stripe does not answer" in answer.content.decode()
    assert giver.recurring.status == "active"


@pytest.mark.parametrize("action", ["pause", "resume", "amount", "cancel"])
def test_nobody_changes_the_gift_of_another(client, given, giver, action):
    giver.pay()
    giver.tell()
    RecurringGift.objects.update(donor_email="other@example.org")
    path = f"/me/gifts/{giver.recurring.id}/{action}"

    stranger = client.post(path)
    donor_of_others = come_in(client).post(path)

    assert (stranger.status_code, stranger["Location"]) == (303, "/me")
    assert donor_of_others.status_code == 404
    assert giver.recurring.status == "active"


def test_a_mails_link_leads_to_stripes_page_that_mends(client, giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)
    giver.tell()
    recurring = giver.recurring
    path = f"/me/gifts/{recurring.id}/mend"

    response = client.get(path, {"token": recurring.token})

    assert response.status_code == 302
    assert response["Location"] == giver.invoices()[0]["hosted_invoice_url"]
    assert client.get(path, {"token": "wrong"}).status_code == 404
    assert client.get(path).status_code == 404
    page = come_in(client).get("/me").content.decode()
    assert f"{path}?token={recurring.token}" in page


def test_where_nothing_waits_the_mails_link_says_so(client, giver):
    giver.pay()
    giver.tell()
    recurring = giver.recurring

    response = client.get(f"/me/gifts/{recurring.id}/mend", {"token": recurring.token})

    assert response.status_code == 409
    assert "No payment of this gift waits for you" in response.content.decode()


def test_no_log_has_a_token_or_an_address(client, given, caplog):
    ask(client)
    come_in(client)
    client.get("/me/gifts/rec_x/mend?token=secret")

    told = [JsonFormatter().format(record) for record in caplog.records]
    assert told
    assert EMAIL not in str(told)
    assert "token=" not in str(told)


def test_a_form_without_its_token_is_refused(given):
    browser = Client(enforce_csrf_checks=True)

    assert browser.post("/me", {"email": EMAIL}).status_code == 403
    assert browser.post("/me/open", {"token": "x"}).status_code == 403
