"""Payouts under the platform's control, and the accounts whose payouts are not."""

import pytest
import requests
import stripe

from sandbox.accounts import ASKED_FIRST
from tests.sandbox.shape_check import faults

LIABLE = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "express"},
}


def options(account):
    return {"stripe_account": account}


def scheduled(interval, **anchor):
    return {"settings": {"payouts": {"schedule": {"interval": interval, **anchor}}}}


@pytest.fixture
def controlled(sandbox):
    """An account whose payouts the platform controls, and which pays its fees itself."""
    return sandbox.account(type="express")


def opened(sandbox):
    """Open an account by its controller, and fill it in."""
    account = sandbox.v1.accounts.create({"country": "FR", "controller": LIABLE}).id
    urls = {"return_url": "http://127.0.0.1:1/back", "refresh_url": "http://127.0.0.1:1/again"}
    link = sandbox.v1.account_links.create(
        {"account": account, "type": "account_onboarding", **urls}
    )
    requests.post(link.url, data={"fields": ASKED_FIRST}, allow_redirects=False, timeout=10)
    return account


def schedule_of(sandbox, account):
    found = sandbox.v1.accounts.retrieve(account)
    assert faults(found.to_dict(for_json=True)) == []
    return found.settings.payouts.schedule.to_dict()


def test_a_platform_that_bears_losses_sets_the_schedule(sandbox):
    account = opened(sandbox)
    before = sandbox.v1.accounts.retrieve(account)
    sandbox.flush()
    told = len(sandbox.receiver.of(account))

    sandbox.v1.accounts.update(account, scheduled("manual"))

    assert before.controller.losses.payments == "application"
    assert before.controller.stripe_dashboard.type == "express"
    assert before.settings.payouts.schedule.to_dict() == {"delay_days": 3, "interval": "daily"}
    assert schedule_of(sandbox, account) == {"delay_days": 3, "interval": "manual"}
    sandbox.flush()
    [event] = sandbox.receiver.of(account)[told:]
    assert event.type == "account.updated"
    assert event.data.object.settings.payouts.schedule.interval == "manual"


@pytest.mark.parametrize(
    ("asked", "schedule"),
    [
        ({"interval": "weekly", "weekly_anchor": "monday"}, {"weekly_anchor": "monday"}),
        ({"interval": "monthly", "monthly_anchor": 15}, {"monthly_anchor": 15}),
        ({"interval": "daily"}, {}),
    ],
)
def test_a_schedule_has_the_anchor_of_its_interval_alone(sandbox, controlled, asked, schedule):
    sandbox.v1.accounts.update(controlled, scheduled("weekly", weekly_anchor="friday"))

    sandbox.v1.accounts.update(controlled, scheduled(**asked))

    expected = {"delay_days": 3, "interval": asked["interval"], **schedule}
    assert schedule_of(sandbox, controlled) == expected


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"interval": "weekly"}, "weekly_anchor"),
        ({"interval": "manual", "monthly_anchor": 3}, "monthly_anchor"),
        ({"monthly_anchor": 3}, "monthly_anchor"),
        ({"interval": "never"}, "interval"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_a_400(sandbox, controlled, asked, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.accounts.update(controlled, {"settings": {"payouts": {"schedule": {**asked}}}})

    assert refusal.value.param == f"settings[payouts][schedule][{param}]"


@pytest.mark.parametrize(
    "payouts", [{"schedule": {"delay_days": 7}}, {"statement_descriptor": "GIFTS"}]
)
def test_a_setting_of_payouts_that_nobody_plays_is_a_501(sandbox, controlled, payouts):
    with pytest.raises(stripe.APIError, match="does not simulate"):
        sandbox.v1.accounts.update(controlled, {"settings": {"payouts": payouts}})


def test_the_schedule_of_a_standard_account_is_its_owners(sandbox, account):
    asked = scheduled("manual")
    for ask in (
        lambda: sandbox.v1.accounts.update(account, asked),
        lambda: sandbox.account(**asked),
    ):
        with pytest.raises(stripe.PermissionError) as refusal:
            ask()

        assert refusal.value.error.code == "oauth_not_supported"
    assert schedule_of(sandbox, account)["interval"] == "daily"


@pytest.mark.parametrize(
    ("kind", "payer", "collector", "dashboard"),
    [
        ("express", "application_express", "stripe", "express"),
        ("custom", "application_custom", "application", "none"),
    ],
)
def test_the_types_of_accounts_are_controllers_in_short(
    *, sandbox, kind, payer, collector, dashboard
):
    account = sandbox.v1.accounts.retrieve(sandbox.account(type=kind))

    controller = account.controller
    assert (controller.losses.payments, controller.fees.payer) == ("application", payer)
    assert controller.requirement_collection == collector
    assert controller.stripe_dashboard.type == dashboard
    assert faults(account.to_dict(for_json=True)) == []


@pytest.mark.parametrize("fees", [{}, {"fees": {"payer": "account"}}])
def test_who_pays_for_losses_pays_the_fees(sandbox, fees):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.accounts.create({"controller": {"losses": LIABLE["losses"], **fees}})

    assert refusal.value.param == "controller[fees][payer]"


def test_fees_that_the_platform_pays_are_no_movements_of_the_account(sandbox):
    account = opened(sandbox)

    charge = sandbox.gift(account)
    sandbox.control(f"charges/{charge.id}/dispute")

    movements = sandbox.movements(account)
    assert [(row.amount, row.fee, row.net) for row in movements] == [
        (-5000, 0, -5000),
        (5000, 0, 5000),
    ]


def test_a_manual_schedule_sends_no_payout_by_itself(sandbox, controlled):
    sandbox.gift(controlled, payment_method="pm_card_bypassPending")
    sandbox.v1.accounts.update(controlled, scheduled("manual"))

    refused = sandbox.control("payouts", expect=400, account=controlled)

    assert "schedule is manual" in refused["error"]["message"]
    page = requests.get(f"{sandbox.url}/accounts/{controlled}", timeout=10).text
    assert "Its platform sends them." in page
    assert "Send a payout" not in page
    sandbox.v1.accounts.update(controlled, scheduled("daily"))
    assert sandbox.control("payouts", account=controlled)["amount"] == 4900


def test_the_platform_sends_what_is_available_and_never_more(sandbox, controlled):
    payouts = sandbox.v1.payouts
    sandbox.v1.accounts.update(controlled, scheduled("manual"))
    sandbox.gift(controlled, payment_method="pm_card_bypassPending")
    sandbox.gift(controlled)
    asked = {
        "amount": 4000,
        "currency": "eur",
        "metadata": {"run": "7"},
        "statement_descriptor": "GIFTS",
    }
    once = {**options(controlled), "idempotency_key": f"payout:{controlled}"}

    payout = payouts.create(asked, once)
    again = payouts.create(asked, once)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        payouts.create({"amount": 901, "currency": "eur"}, options(controlled))
    rest = payouts.create({"amount": 900, "currency": "eur"}, options(controlled))

    assert again.id == payout.id
    assert (payout.status, payout.automatic) == ("pending", False)
    assert (payout.metadata.to_dict(), payout.statement_descriptor) == ({"run": "7"}, "GIFTS")
    assert refusal.value.code == "balance_insufficient"
    balance = sandbox.v1.balance.retrieve(None, options(controlled))
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 4900)
    assert sandbox.control(f"payouts/{payout.id}/pay")["status"] == "paid"
    assert sandbox.control(f"payouts/{rest.id}/fail")["status"] == "failed"
    after = sandbox.v1.balance.retrieve(None, options(controlled))
    assert after.available[0].amount == 900


def test_no_payout_leaves_while_payouts_are_disabled(sandbox, controlled):
    sandbox.gift(controlled, payment_method="pm_card_bypassPending")
    due = ["company.tax_id"]
    sandbox.control(f"accounts/{controlled}/require", currently_due=due, past_due=due)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.payouts.create({"amount": 500, "currency": "eur"}, options(controlled))

    assert refusal.value.code == "payouts_not_allowed"


def test_no_payout_leaves_to_no_bank(sandbox):
    account = sandbox.v1.accounts.create({"controller": {"fees": {"payer": "account"}}}).id
    sandbox.control(f"accounts/{account}/require")

    refused = sandbox.ask("POST", "/v1/payouts", account, data={"amount": 5, "currency": "eur"})

    assert refused.json()["error"]["code"] == "payouts_not_allowed"
