"""What a charge tells of the card and of whoever typed it, also when it is declined."""

import pytest
import requests

from sandbox.cards import CARDS

CARDS_OF_MANY = [
    ("4242424242424242", ("visa", "US", "credit")),
    ("5555555555554444", ("mastercard", "US", "credit")),
    ("2223003122003222", ("mastercard", "US", "credit")),
    ("4000056655665556", ("visa", "US", "debit")),
    ("378282246310005", ("amex", "US", "credit")),
    ("4000000760000002", ("visa", "BR", "credit")),
    ("4000002760000016", ("visa", "DE", "credit")),
    ("4000008260000000", ("visa", "GB", "credit")),
]


def charges_of(sandbox, account):
    return sandbox.v1.charges.list({"limit": 100}, {"stripe_account": account}).data


@pytest.mark.parametrize(("number", "told"), CARDS_OF_MANY)
def test_a_charge_tells_what_card_it_was(*, sandbox, account, number, told):
    sandbox.pay(sandbox.session(account).id, number)

    [charge] = charges_of(sandbox, account)
    card = charge.payment_method_details.card
    assert (card.brand, card.country, card.funding) == told
    assert (card.last4, card.network) == (number[-4:], told[0])
    assert card.checks.to_dict() == {
        "address_line1_check": None,
        "address_postal_code_check": None,
        "cvc_check": "pass",
    }


def test_a_card_has_one_fingerprint_wherever_it_pays(sandbox, account):
    for number, _ in [*CARDS_OF_MANY, CARDS_OF_MANY[0]]:
        sandbox.pay(sandbox.session(account).id, number)
    elsewhere = sandbox.account()
    sandbox.pay(sandbox.session(elsewhere).id)

    [there] = charges_of(sandbox, elsewhere)
    here = [row.payment_method_details.card.fingerprint for row in charges_of(sandbox, account)]

    assert len(set(here)) == len(CARDS_OF_MANY) == len(here) - 1
    assert here[0] == here[-1]
    assert there.payment_method_details.card.fingerprint == here[0]


@pytest.mark.parametrize(
    ("method", "number"),
    [
        ("pm_card_visa_debit", "4000056655665556"),
        ("pm_card_amex", "378282246310005"),
        ("pm_card_br", "4000000760000002"),
        ("pm_card_de", "4000002760000016"),
        ("pm_card_gb", "4000008260000000"),
    ],
)
def test_the_cards_have_stripes_names(*, sandbox, account, method, number):
    charge = sandbox.gift(account, payment_method=method)

    card = charge.payment_method_details.card
    assert card.fingerprint == CARDS[number].fingerprint


@pytest.mark.parametrize("number", CARDS)
def test_the_cards_numbers_are_numbers_of_cards(number):
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]

    assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_each_try_is_a_charge_with_the_payer_and_the_gift(sandbox, account):
    promise = {"metadata": {"donation_id": "don_1"}}
    session = sandbox.session(account, payment_intent_data=promise)
    typed = {"email": "zoe@example.org", "expiry": "12/34", "cvc": "1234", "name": "Zoë Müller"}

    for number, status in (
        ("4000000000000002", 402),
        ("4000000000009995", 402),
        ("3782 8224 6310 005", 303),
    ):
        answer = requests.post(
            session.url, data={**typed, "card_number": number}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == status

    charges = charges_of(sandbox, account)
    assert [charge.status for charge in charges] == ["succeeded", "failed", "failed"]
    payers = {(charge.billing_details.email, charge.billing_details.name) for charge in charges}
    assert payers == {("zoe@example.org", "Zoë Müller")}
    assert {charge.metadata.donation_id for charge in charges} == {"don_1"}
    fingerprints = {charge.payment_method_details.card.fingerprint for charge in charges}
    assert len(fingerprints) == 3
    sandbox.flush()
    kinds = sandbox.receiver.kinds(account)
    assert kinds.count("charge.failed") == kinds.count("payment_intent.payment_failed") == 2
    assert kinds.count("checkout.session.completed") == 1
