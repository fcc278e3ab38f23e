"""What events say of refunds that were asked for here, in whatever order they come."""

from itertools import permutations

import pytest

from donations.models import RefundRequest
from organisations.models import Mail
from tests.donations.refunds import in_ledger
from tests.factories import MembershipFactory, RefundRequestFactory
from tests.webhooks.messages import deliver, event
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

NEWS = [
    ("refund.created", {"status": "pending"}),
    ("refund.updated", {"status": "succeeded"}),
    ("refund.failed", {"status": "failed", "failure_reason": "declined"}),
    ("charge.refund.updated", {"status": "failed", "failure_reason": "declined"}),
]


def tell(type_, **refund):
    message = event(type_, data={"object": {"object": "refund", **refund}})
    deliver(message)
    drain_due()
    return StripeEvent.objects.get(id=message["id"]).status


@pytest.fixture
def refund(stripe_account, organisation) -> RefundRequest:
    """A refund of which nobody knows yet whether Stripe took it."""
    MembershipFactory(organisation=organisation)
    return RefundRequestFactory(donation=in_ledger(organisation), status="sent")


@pytest.mark.parametrize("order", list(permutations(NEWS)))
def test_one_that_fails_is_told_under_two_names_and_once_by_mail(refund, order):
    for type_, fields in order:
        told = tell(type_, id="re_1", metadata={"refund_request": refund.id}, **fields)
        assert told == "done"

    refund.refresh_from_db()
    assert (refund.status, refund.stripe_refund, refund.failure) == ("failed", "re_1", "declined")
    assert Mail.objects.count() == 1


def test_one_that_was_made_elsewhere_is_none_of_ours(refund):
    for type_, fields in NEWS:
        assert tell(type_, id="re_9", metadata={}, **fields) == "done"

    refund.refresh_from_db()
    assert (refund.status, refund.stripe_refund) == ("sent", "")
    assert not Mail.objects.exists()
