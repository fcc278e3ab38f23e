"""The bank account of an account: read, swapped, and recognised on another account."""

import pytest
import stripe

from tests.sandbox.shape_check import faults

IBAN = "DE75512108001245126199"
ANOTHER = "FR1420041010050500013M02606"


def options(account):
    return {"stripe_account": account}


def banks_of(sandbox, account):
    banks = sandbox.v1.accounts.external_accounts.list(account).data
    assert faults({"object": "list", "data": [bank.to_dict() for bank in banks]}) == []
    return banks


def swap(sandbox, account, iban, **more):
    return sandbox.control(f"accounts/{account}/bank", iban=iban, **more)


def test_the_bank_account_of_an_account_is_listed_and_read(sandbox):
    account = sandbox.account("JP")

    [bank] = banks_of(sandbox, account)

    assert (bank.account, bank.country, bank.currency) == (account, "JP", "jpy")
    assert (bank.bank_name, bank.last4) == ("STRIPE TEST BANK", "2606")
    assert bank.default_for_currency
    read = sandbox.v1.accounts.external_accounts.retrieve(account, bank.id)
    assert read.fingerprint == bank.fingerprint
    [shown] = sandbox.v1.accounts.retrieve(account).external_accounts.data
    assert shown.id == bank.id


def test_a_list_of_cards_is_empty_and_a_page_has_a_size(sandbox, account):
    listed = sandbox.v1.accounts.external_accounts.list
    assert listed(account, {"object": "card", "limit": 100}).data == []
    assert len(listed(account, {"object": "bank_account"}).data) == 1

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        listed(account, {"limit": 101})

    assert refusal.value.param == "limit"


def test_banks_of_strangers_and_unknown_banks_are_not_there(sandbox, account):
    with pytest.raises(stripe.PermissionError):
        sandbox.v1.accounts.external_accounts.list("acct_stranger")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.accounts.external_accounts.retrieve(account, "ba_none")

    assert refusal.value.code == "resource_missing"


def test_another_bank_account_comes_and_the_one_before_goes(sandbox, account):
    [before] = banks_of(sandbox, account)

    bank = swap(sandbox, account, "de75 5121 0800 1245 1261 99")

    [after] = banks_of(sandbox, account)
    assert (after.id, after.last4, after.country) == (bank["id"], "6199", "DE")
    assert after.fingerprint != before.fingerprint
    sandbox.flush()
    events = sandbox.receiver.of(account)
    assert [(event.type, event.data.object.id) for event in events] == [
        ("account.external_account.created", bank["id"]),
        ("account.external_account.updated", before.id),
        ("account.external_account.deleted", before.id),
        ("account.updated", account),
    ]
    assert events[1].data.previous_attributes.to_dict() == {"default_for_currency": True}
    assert [faults(event.to_dict(for_json=True)) for event in events] == [[]] * 4


def test_a_bank_account_is_known_again_on_another_account(sandbox, account):
    elsewhere = sandbox.account()

    first, second = (swap(sandbox, of, IBAN) for of in (account, elsewhere))
    third = swap(sandbox, elsewhere, ANOTHER)

    assert first["fingerprint"] == second["fingerprint"] != third["fingerprint"]
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        (IBAN, "bank_account_exists"),
        ("DE75512108001245126198", "account_number_invalid"),
        ("DE7551210800124512é199", "account_number_invalid"),
        ("DE75", "account_number_invalid"),
        ("", "account_number_invalid"),
    ],
)
def test_what_is_no_other_iban_changes_nothing(*, sandbox, account, iban, code):
    bank = swap(sandbox, account, IBAN)

    refused = swap(sandbox, account, iban, expect=400)["error"]

    assert (refused["code"], refused["param"]) == (code, "iban")
    assert [row.id for row in banks_of(sandbox, account)] == [bank["id"]]


def test_payouts_go_to_the_new_bank_account_and_the_old_one_is_told_as_deleted(sandbox, account):
    sandbox.gift(account, payment_method="pm_card_bypassPending")
    asked = {"amount": 1000, "currency": "eur"}
    old = sandbox.v1.payouts.create(asked, options(account))
    bank = swap(sandbox, account, IBAN)

    new = sandbox.v1.payouts.create(asked, options(account))

    assert new.destination == bank["id"]
    listed = sandbox.v1.payouts.list({"expand": ["data.destination"]}, options(account)).data
    told = {payout.id: payout.destination.to_dict() for payout in listed}
    assert told[new.id]["last4"] == "6199"
    assert told[old.id] == {"id": old.destination, "object": "bank_account", "deleted": True}


def test_an_account_without_a_bank_account_gets_its_first(sandbox):
    account = sandbox.v1.accounts.create({"controller": {"fees": {"payer": "account"}}}).id
    assert banks_of(sandbox, account) == []

    swap(sandbox, account, IBAN)

    assert len(banks_of(sandbox, account)) == 1
    sandbox.flush()
    assert sandbox.receiver.kinds(account) == [
        "account.external_account.created",
        "account.updated",
    ]
