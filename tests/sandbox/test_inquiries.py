"""Before a dispute: inquiries that move no money, and early warnings of fraud."""

import pytest
import stripe


def options(account):
    return {"stripe_account": account}


def inquiry_of(sandbox, account, **fields):
    charge = sandbox.gift(account, payment_method="pm_card_createDisputeInquiry", **fields)
    [inquiry] = sandbox.v1.disputes.list({"charge": charge.id}, options(account)).data
    return charge, inquiry


def told(sandbox, account):
    sandbox.flush()
    return [kind for kind in sandbox.receiver.kinds(account) if "dispute" in kind]


def test_an_inquiry_moves_no_money_and_may_be_closed(sandbox, account):
    charge, inquiry = inquiry_of(sandbox, account)
    sandbox.control(f"disputes/{inquiry.id}/close", expect=400, outcome="lost")

    closed = sandbox.control(f"disputes/{inquiry.id}/close", outcome="warning_closed")

    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert inquiry.payment_method_details.card.case_type == "inquiry"
    assert (charge.disputed, inquiry.balance_transactions) == (True, [])
    assert closed["status"] == "warning_closed"
    assert sandbox.balance(account) == {"eur": 4900}
    assert told(sandbox, account) == ["charge.dispute.created", "charge.dispute.closed"]
    sandbox.control(f"disputes/{inquiry.id}/close", expect=400, outcome="warning_closed")
    sandbox.control(f"disputes/{inquiry.id}/escalate", expect=400)


def test_an_inquiry_may_become_a_dispute_that_is_lost(sandbox, account):
    _, inquiry = inquiry_of(sandbox, account)

    escalated = sandbox.control(f"disputes/{inquiry.id}/escalate")

    assert (escalated["id"], escalated["status"]) == (inquiry.id, "needs_response")
    assert escalated["payment_method_details"]["card"]["case_type"] == "chargeback"
    assert sandbox.balance(account) == {"eur": -100 - 2000}
    lost = sandbox.control(f"disputes/{inquiry.id}/close", outcome="lost")
    assert lost["status"] == "lost"
    assert told(sandbox, account) == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]
    [change] = [
        event for event in sandbox.receiver.of(account) if event.type == "charge.dispute.updated"
    ]
    assert change.data.previous_attributes.to_dict() == {
        "is_charge_refundable": True,
        "status": "warning_needs_response",
    }


def test_a_gift_that_is_inquired_about_can_be_given_back(sandbox, account):
    charge, inquiry = inquiry_of(sandbox, account)
    refund = sandbox.v1.refunds.create

    refund({"charge": charge.id, "amount": 2000}, options(account))
    escalated = sandbox.control(f"disputes/{inquiry.id}/escalate")

    assert escalated["amount"] == 3000
    assert sandbox.balance(account) == {"eur": -100 - 2000}
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back"):
        refund({"charge": charge.id}, options(account))


def test_an_inquiry_into_what_was_given_back_cannot_become_a_dispute(sandbox, account):
    charge, inquiry = inquiry_of(sandbox, account)
    sandbox.v1.refunds.create({"charge": charge.id}, options(account))

    sandbox.control(f"disputes/{inquiry.id}/escalate", expect=400)

    accepted = sandbox.v1.disputes.close(inquiry.id, None, options(account))
    assert accepted.status == "warning_closed"


def test_any_card_may_be_inquired_about_and_no_bank_account(sandbox, account):
    charge = sandbox.gift(account)
    _, _, debit = sandbox.debit(account, "DE89370400440532013000")
    sandbox.flush()

    inquiry = sandbox.control(f"charges/{charge.id}/inquire", amount=700)

    assert (inquiry["amount"], inquiry["reason"]) == (700, "general")
    sandbox.control(f"charges/{charge.id}/inquire", expect=400)
    sandbox.control(f"charges/{debit.id}/inquire", expect=400)


def test_a_gift_is_warned_of_until_it_was_given_back(sandbox, account):
    charge = sandbox.gift(account, payment_method="pm_card_createIssuerFraudRecord")
    other = sandbox.gift(account)
    warnings = sandbox.v1.radar.early_fraud_warnings

    [warning] = warnings.list({"charge": charge.id}, options(account)).data
    sandbox.v1.refunds.create({"charge": charge.id}, options(account))

    assert (warning.actionable, warning.payment_intent) == (True, charge.payment_intent)
    found = warnings.retrieve(warning.id, {"expand": ["charge"]}, options(account))
    assert (found.actionable, found.charge.refunded) == (False, True)
    filters = {"payment_intent": other.payment_intent}
    assert warnings.list(filters, options(account)).data == []
    sandbox.flush()
    assert "radar.early_fraud_warning.created" in sandbox.receiver.kinds(account)
    sandbox.control(f"charges/{charge.id}/warn", expect=400)
    sandbox.control(f"charges/{other.id}/dispute")
    late = sandbox.control(f"charges/{other.id}/warn")
    assert warnings.retrieve(late["id"], None, options(account)).actionable is False
