"""How money leaves again: refunds, disputes, payouts."""

import pytest
import stripe


def options(account):
    return {"stripe_account": account}


def test_refunds_are_partial_and_never_more_than_the_gift(sandbox, account):
    charge = sandbox.gift(account, 5000, "jpy", description="Gift")
    refunds = sandbox.v1.refunds

    first = refunds.create({"charge": charge.id, "amount": 1999}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        refunds.create({"charge": charge.id, "amount": 3002}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="greater than or equal to 1"):
        refunds.create({"charge": charge.id, "amount": 0}, options(account))
    rest = refunds.create(
        {"payment_intent": charge.payment_intent, "metadata": {"why": "asked"}}, options(account)
    )
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refunds.create({"charge": charge.id}, options(account))

    assert refusal.value.code == "charge_already_refunded"
    assert (rest.amount, rest.metadata.to_dict()) == (3001, {"why": "asked"})
    given_back = sandbox.movements(account, type="refund")
    assert sum(movement.amount for movement in given_back) == -2800
    assert {movement.fee for movement in given_back} == {0}
    assert given_back[0].description == "REFUND FOR CHARGE (Gift)"
    found = sandbox.v1.charges.retrieve(charge.id, None, options(account))
    assert (found.refunded, found.amount_refunded) == (True, 5000)
    listed = refunds.list({"charge": charge.id}, options(account)).data
    assert [refund.id for refund in listed] == [rest.id, first.id]
    assert refunds.retrieve(first.id, None, options(account)).amount == 1999
    assert refunds.list({"payment_intent": "pi_none"}, options(account)).data == []


def test_a_refund_that_fails_comes_back_once(sandbox, account):
    charge = sandbox.gift(account)
    refund = sandbox.v1.refunds.create({"charge": charge.id, "amount": 2000}, options(account))

    failed = sandbox.control(f"refunds/{refund.id}/fail")
    sandbox.control(f"refunds/{refund.id}/fail", expect=400)

    assert failed["status"] == "failed"
    assert sandbox.balance(account) == {"eur": 4900}
    newest = sandbox.movements(account)[0]
    assert (newest.type, newest.reporting_category) == ("refund_failure", "refund_failure")
    assert failed["failure_balance_transaction"] == newest.id
    found = sandbox.v1.charges.retrieve(charge.id, None, options(account))
    assert (found.refunded, found.amount_refunded) == (False, 0)


def test_the_card_whose_refunds_fail(sandbox, account):
    charge = sandbox.gift(account, payment_method="pm_card_refundFail")

    refund = sandbox.v1.refunds.create({"charge": charge.id}, options(account))

    sandbox.flush()
    assert refund.status == "failed"
    assert sandbox.balance(account) == {"eur": 4900}
    kinds = sandbox.receiver.kinds(account)
    assert [kind for kind in kinds if "refund" in kind] == [
        "refund.created",
        "charge.refunded",
        "refund.failed",
        "charge.refund.updated",
    ]


@pytest.mark.parametrize(("outcome", "left"), [("won", 4900 - 2000), ("lost", -2100)])
def test_a_dispute_takes_the_gift_and_a_fee_until_it_is_decided(sandbox, account, outcome, left):
    charge = sandbox.gift(account)
    dispute = sandbox.control(f"charges/{charge.id}/dispute", reason="duplicate")
    taken = sandbox.balance(account)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.refunds.create({"charge": charge.id}, options(account))

    closed = sandbox.control(f"disputes/{dispute['id']}/close", outcome=outcome)

    sandbox.flush()
    assert refusal.value.code == "charge_disputed"
    assert (dispute["status"], dispute["reason"]) == ("needs_response", "duplicate")
    assert taken == {"eur": -2100}
    assert closed["status"] == outcome
    assert sandbox.balance(account) == {"eur": left}
    kinds = [kind for kind in sandbox.receiver.kinds(account) if "dispute" in kind]
    reinstated = ["charge.dispute.funds_reinstated"] if outcome == "won" else []
    assert kinds == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        *reinstated,
        "charge.dispute.closed",
    ]
    categories = {movement.reporting_category for movement in sandbox.movements(account)}
    assert categories == {"charge", "dispute"} | ({"dispute_reversal"} if reinstated else set())


def test_a_dispute_may_be_of_a_part_and_is_refused_twice(sandbox, account):
    charge = sandbox.gift(account)
    sandbox.control(f"charges/{charge.id}/dispute", expect=400, amount=5001)
    dispute = sandbox.control(f"charges/{charge.id}/dispute", amount=1000)
    sandbox.control(f"charges/{charge.id}/dispute", expect=400)
    sandbox.control(f"disputes/{dispute['id']}/close", expect=400, outcome="draw")

    accepted = sandbox.v1.disputes.close(dispute["id"], None, options(account))

    assert accepted.status == "lost"
    assert accepted.balance_transactions[0].net == -3000
    sandbox.control(f"disputes/{dispute['id']}/close", expect=400, outcome="won")
    listed = sandbox.v1.disputes.list({"charge": charge.id}, options(account)).data
    found = sandbox.v1.disputes.retrieve(dispute["id"], None, options(account))
    assert [found.id] == [row.id for row in listed]


def test_the_card_that_is_disputed(sandbox, account):
    charge = sandbox.gift(account, 5000, "jpy", payment_method="pm_card_createDispute")

    [dispute] = sandbox.v1.disputes.list(None, options(account)).data

    assert charge.disputed is True
    assert (dispute.charge, dispute.amount, dispute.currency) == (charge.id, 5000, "jpy")
    assert dispute.balance_transactions[0].exchange_rate == 0.0056


def funded(sandbox, account, amount=50_000):
    return sandbox.gift(account, amount, payment_method="pm_card_bypassPending")


def test_a_payout_leaves_arrives_and_may_come_back(sandbox, account):
    funded(sandbox, account)
    payouts = sandbox.v1.payouts
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        payouts.create({"amount": 50_000, "currency": "eur"}, options(account))
    payout = payouts.create(
        {"amount": 40_000, "currency": "eur", "metadata": {"run": "1"}}, options(account)
    )
    left = sandbox.balance(account)
    paid = sandbox.control(f"payouts/{payout.id}/pay")
    sandbox.control(f"payouts/{payout.id}/pay", expect=400)
    failed = sandbox.control(f"payouts/{payout.id}/fail")
    sandbox.control(f"payouts/{payout.id}/fail", expect=400)

    sandbox.flush()
    assert refusal.value.code == "balance_insufficient"
    assert left == {"eur": 50_000 - 775 - 40_000}
    assert (payout.status, paid["status"], failed["status"]) == ("pending", "paid", "failed")
    assert sandbox.balance(account) == {"eur": 49_225}
    kinds = [kind for kind in sandbox.receiver.kinds(account) if kind.startswith("payout")]
    assert kinds == ["payout.created", "payout.paid", "payout.failed"]
    newest = sandbox.movements(account)[0]
    assert (newest.type, newest.reporting_category) == ("payout_failure", "payout_reversal")
    assert payouts.retrieve(payout.id, None, options(account)).status == "failed"
    assert payouts.list({"status": "paid"}, options(account)).data == []


def test_the_bank_of_a_payout_is_told_when_asked_for(sandbox, account):
    funded(sandbox, account)
    payouts = sandbox.v1.payouts
    sent = payouts.create({"amount": 1000, "currency": "eur"}, options(account))

    [told] = payouts.list({"expand": ["data.destination"]}, options(account)).data

    assert sent.destination == told.destination.id
    assert (told.destination.object, told.destination.last4) == ("bank_account", "2606")


def test_a_pending_payout_can_be_cancelled(sandbox, account):
    funded(sandbox, account)
    payout = sandbox.v1.payouts.create({"amount": 1000, "currency": "eur"}, options(account))

    cancelled = sandbox.v1.payouts.cancel(payout.id, None, options(account))

    assert cancelled.status == "canceled"
    assert sandbox.movements(account)[0].type == "payout_cancel"
    assert sandbox.balance(account) == {"eur": 49_225}


def test_an_automatic_payout_adds_up_to_the_movements_in_it(sandbox, account):
    first = funded(sandbox, account)
    sandbox.v1.refunds.create({"charge": first.id, "amount": 5000}, options(account))
    manual = sandbox.v1.payouts.create({"amount": 1000, "currency": "eur"}, options(account))
    payout = sandbox.control("payouts", account=account)
    sandbox.control(f"payouts/{payout['id']}/pay")
    sandbox.gift(account)

    inside = sandbox.movements(account, payout=payout["id"])

    assert payout["automatic"] is True
    assert sum(movement.net for movement in inside) == 0
    assert inside[0].amount == -payout["amount"] == -(49_225 - 5000 - 1000)
    assert len(inside) == 4
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        sandbox.movements(account, payout=manual.id)
    sandbox.flush()
    kinds = sandbox.receiver.kinds(account)
    assert "payout.reconciliation_completed" in kinds
