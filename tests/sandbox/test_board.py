"""The sandbox's own page: a person plays donors, banks and bad luck, and nobody else does."""

import re

import pytest
import requests

CARD_THAT_FAILS = "4000000000000341"


def options(account):
    return {"stripe_account": account}


class Person:
    """Whoever looks at a page and presses its buttons, without a script."""

    def __init__(self, sandbox, path):
        self.url = sandbox.url + path
        self.look()

    def look(self):
        self.page = requests.get(self.url, timeout=10).text
        return self.page

    @property
    def buttons(self):
        """Return the values of the buttons on the page, by their labels: the first of each."""
        found = re.findall(r'<button name="press" value="([^"]+)">([^<]+)</button>', self.page)
        return {label: value for value, label in reversed(found)}

    def press(self, label, **fields):
        """Press the first button with this label; return what the page says then."""
        [token] = re.findall(r'name="token" value="([^"]+)"', self.page)
        data = {"token": token, "press": self.buttons.get(label, label), **fields}
        answer = requests.post(self.url, data=data, timeout=10)
        self.page = answer.text
        return answer


@pytest.fixture
def account(alone):
    return alone.account(business_profile={"name": "Eau & Vie"})


def test_the_front_page_leads_to_the_accounts(alone, account):
    alone.gift(account)

    page = Person(alone, "/").page

    assert f'<a href="/accounts/{account}">Eau &amp; Vie</a>' in page
    assert f"{account} · 49.00 EUR pending" in page
    assert alone.v1.accounts.retrieve_current().id not in page
    assert "<script" not in page


def test_a_sandbox_without_accounts_says_so(alone):
    assert "None yet: the API or the demo opens them." in Person(alone, "/").page


def test_an_account_without_anything_says_so(alone, account):
    page = Person(alone, f"/accounts/{account}").page

    assert page.count("None yet.") == 4
    assert "no money yet" in page


def test_pressing_does_it_and_says_what_happened(alone, account):
    charge = alone.gift(account)
    person = Person(alone, f"/accounts/{account}")

    answer = person.press("Dispute this")

    assert answer.url.endswith(f"/accounts/{account}?said=dispute")
    assert 'role="status">The gift is disputed: its amount and a fee' in person.page
    assert "dispute: needs response" in person.page
    found = alone.v1.charges.retrieve(charge.id, None, options(account))
    assert found.disputed is True
    assert "Dispute this" not in person.buttons
    person.press("Dispute is won")
    assert "the amount came back" in person.page
    assert "dispute: won" in person.page


def test_an_inquiry_is_dropped_or_becomes_a_dispute(alone, account):
    for _ in range(2):
        alone.gift(account)
    person = Person(alone, f"/accounts/{account}")

    person.press("Inquire")
    person.press("Bank drops it")
    person.press("Inquire")
    person.press("Becomes a dispute")
    person.press("Dispute is lost")

    assert "the money stays away" in person.page
    statuses = [row.status for row in alone.v1.disputes.list(None, options(account)).data]
    assert sorted(statuses) == ["lost", "warning_closed"]


def test_an_authorised_gift_lapses(alone, account):
    held = {"payment_intent_data": {"capture_method": "manual"}}
    alone.pay(alone.session(account, **held).id)
    person = Person(alone, f"/accounts/{account}")
    assert "authorised until " in person.page
    assert "Dispute this" not in person.buttons

    person.press("Let it lapse")

    assert "the bank released the money" in person.page
    assert "<span>released · " in person.page
    assert not {"Let it lapse", "Refund fails"} & person.buttons.keys()


def test_a_refund_fails(alone, account):
    charge = alone.gift(account)
    refund = alone.v1.refunds.create({"charge": charge.id, "amount": 700}, options(account))
    person = Person(alone, f"/accounts/{account}")
    assert "7.00 EUR refunded" in person.page

    person.press("Refund fails")

    assert "its amount is back in the balance" in person.page
    assert alone.v1.refunds.retrieve(refund.id, None, options(account)).status == "failed"
    assert "Refund fails" not in person.buttons


def test_what_was_given_back_whole_cannot_be_disputed(alone, account):
    charge = alone.gift(account)
    alone.v1.refunds.create({"charge": charge.id}, options(account))

    assert "Dispute this" not in Person(alone, f"/accounts/{account}").buttons


def test_a_bank_answers_for_a_debit(alone, account):
    _, intent, _ = alone.debit(account, "DE08370400440532013003")
    person = Person(alone, f"/accounts/{account}")
    assert "Dispute this" not in person.buttons

    person.press("Bank answers")

    found = alone.v1.payment_intents.retrieve(intent.id, None, options(account))
    assert found.status == "succeeded"
    assert "Dispute this" in person.buttons
    assert "Inquire" not in person.buttons


def test_a_subscription_is_renewed_and_tried_again(alone, account):
    subscription = alone.subscription(account)
    person = Person(alone, f"/accounts/{account}")

    person.press("Renew now")
    assert "The period is over" in person.page
    assert "Try again" not in person.buttons
    alone.control(f"subscriptions/{subscription.id}/card", card_number=CARD_THAT_FAILS)
    person.press("Renew now")
    assert "past due · card 0341" in person.page
    [link] = re.findall(r'<a href="(/invoice/[^"]+)">invoice to pay</a>', person.page)
    assert "Pay 10.00 EUR" in requests.get(alone.url + link, timeout=10).text
    for _ in range(3):
        person.press("Try again")

    assert "canceled" in person.page
    assert "Renew now" not in person.buttons


def test_a_payout_is_sent_arrives_and_comes_back(alone, account):
    person = Person(alone, f"/accounts/{account}")
    refused = person.press("Send a payout")
    assert refused.status_code == 400
    assert 'role="alert">You have insufficient funds' in person.page
    alone.gift(account, payment_method="pm_card_bypassPending")

    person.press("Send a payout")
    assert "on its way to the bank" in person.page
    person.press("Payout arrives")
    assert "Payout arrives" not in person.buttons
    person.press("Fail this payout")

    assert "Fail this payout" not in person.buttons
    [payout] = alone.v1.payouts.list(None, options(account)).data
    assert (payout.status, payout.automatic) == ("failed", True)


def test_two_accounts_come_to_share_a_bank_account(alone, account):
    for of in (account, alone.account()):
        person = Person(alone, f"/accounts/{of}")
        assert "STRIPE TEST BANK ···· 2606" in person.page

        person.press("Change its bank account")

        assert "the same one wherever this is pressed" in person.page
        assert "STRIPE TEST BANK ···· 6199" in person.page
    refused = person.press("Change its bank account")
    assert refused.status_code == 400
    assert "the account&#x27;s already" in person.page


def test_an_event_is_delivered_twice(alone, receiver, account):
    alone.gift(account)
    person = Person(alone, f"/accounts/{account}")
    assert "delivered · " in person.page

    person.press("Deliver twice")

    alone.flush()
    identifiers = [event.id for event in receiver.of(account)]
    assert len(identifiers) - len(set(identifiers)) == 1


def test_the_network_is_bad_until_it_is_as_usual(alone, account):
    person = Person(alone, f"/accounts/{account}")

    person.press("Hold")
    alone.control("charges", account=account, amount=500, currency="eur")
    alone.control("delivery/flush", timeout=0)
    assert "waiting · " in person.look()
    assert "Events are held back: 0 arrived, 2 wait" in person.page
    person.press("Drop")
    assert "dropped · " in person.page
    person.press("Shuffle")
    assert "Events are delivered in any order" in person.page
    person.press("Deliver as usual")

    assert "Deliver as usual" not in person.buttons
    assert "Events are delivered as usual: 0 arrived, 0 wait, 2 were dropped." in person.page
    alone.control("delivery", mode="double")
    assert "Delivery is set to double" in person.look()


def test_the_api_goes_down_and_the_page_says_so(alone):
    person = Person(alone, "/")

    person.press("Go down for 30 s")

    assert "The API is down." in person.page
    assert alone.ask("GET", "/v1/balance").status_code == 500
    alone.control("outage", status=None)
    assert "The API is down." not in person.look()


@pytest.mark.parametrize("fields", [{"token": ""}, {"token": "guessed"}])
def test_a_page_of_another_site_presses_nothing(alone, account, fields):
    alone.gift(account)
    person = Person(alone, f"/accounts/{account}")

    answer = person.press("Dispute this", **fields)

    assert (answer.status_code, "Load it again" in answer.text) == (403, True)
    assert alone.v1.disputes.list(None, options(account)).data == []


def test_a_page_shows_itself_under_names_of_this_machine_only(alone):
    for host, status in (("evil.example", 403), ("localhost:8011", 200), ("127.0.0.1", 200)):
        answer = requests.get(alone.url, headers={"Host": host}, timeout=10)
        assert (answer.status_code, "token" in answer.text) == (status, status == 200)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("press", ["", "shutdown:", "dispute:../../clock"])
def test_what_is_no_button_is_refused(alone, press):
    answer = Person(alone, "/").press("", press=press)

    assert (answer.status_code, "no such button" in answer.text) == (400, True)


def test_an_account_that_is_not_there_has_no_page(alone):
    assert requests.get(f"{alone.url}/accounts/acct_none", timeout=10).status_code == 404
