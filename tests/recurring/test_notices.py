"""What donors are told of gifts that repeat: each thing once, and with what mends it."""

import re

import pytest

from donations.models import Donation, RecurringGift, RecurringNotice
from organisations.models import Mail
from tests.recurring.conftest import CONFIRM, EMAIL, GOOD, NEVER, subjects

STARTED = "You give to Eau Vive every month"
FAILED = "Your gift to Eau Vive was not paid; it will be tried again"
LAST_TRY = "Your gift to Eau Vive was not paid; it will not be tried again"
CONFIRMS = "Please confirm your gift to Eau Vive"
ENDED = "Your gift to Eau Vive every month has ended"


def bodies() -> list[str]:
    return list(Mail.objects.order_by("id").values_list("body", flat=True))


def test_a_gift_that_starts_says_so_once_to_its_donor(giver):
    giver.pay()
    giver.tell(*giver.events(), draining_every=1)
    giver.renew()
    giver.tell(draining_every=1)

    [mail] = Mail.objects.all()

    assert (mail.recipient, mail.subject) == (EMAIL, STARTED)
    assert "10.00 EUR every month to Eau Vive" in mail.body
    assert "http://localhost:8000/me\n" in mail.body


def test_a_failure_says_when_it_is_tried_again_and_what_mends_it(giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)

    giver.tell()

    assert subjects() == [STARTED, FAILED]
    link = f"http://localhost:8000/me/gifts/{giver.recurring.id}/mend?token="
    assert f"{link}{giver.recurring.token}" in bodies()[1]
    assert re.search(r"tried again on \w+day, \d+ \w+ 20\d\d\.", bodies()[1])
    assert "invoice.stripe.com" not in str(bodies())


def test_each_try_is_told_once_and_the_end_instead_of_the_last(giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)
    giver.tell()
    for _ in range(2):
        giver.retry()
        giver.tell()
    giver.retry()
    giver.tell()

    assert subjects() == [STARTED, FAILED, FAILED, FAILED, ENDED]
    assert "because its last\npayment was refused too often" in bodies()[-1]
    assert "http://localhost:8000/o/eau-vive/donate" in bodies()[-1]


def test_the_last_try_is_told_where_the_gift_goes_on_all_the_same(giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)
    [failed] = [event for event in giver.events() if event["type"] == "invoice.payment_failed"]
    failed["data"]["object"]["next_payment_attempt"] = None

    giver.tell(failed)

    assert subjects() == [STARTED, LAST_TRY]
    assert giver.recurring.token in bodies()[1]


def test_an_older_try_is_no_news(giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)
    giver.retry()

    giver.tell(*giver.events()[::-1], draining_every=1)

    assert subjects() == [STARTED, FAILED]


def test_a_failure_that_is_mended_by_now_is_no_news(giver):
    giver.pay()
    giver.tell()
    giver.renew(NEVER)
    failed = giver.events()
    giver.sandbox.control(f"subscriptions/{giver.subscription}/card", card_number=GOOD)
    giver.retry()

    giver.tell(*failed)

    assert subjects() == [STARTED]
    assert giver.recurring.status == "active"


def test_a_bank_that_wants_a_confirmation_is_told_of(giver):
    giver.pay()
    giver.tell()
    giver.renew(CONFIRM)

    giver.tell()

    assert subjects() == [STARTED, CONFIRMS]
    assert giver.recurring.token in bodies()[1]


@pytest.mark.parametrize("type_", ["invoice.payment_failed", "invoice.payment_action_required"])
def test_the_first_payment_is_made_at_the_page_and_needs_no_mail(giver, type_):
    giver.pay()
    events = giver.events()
    paid = next(event for event in events if event["type"] == "invoice.paid")
    Donation.objects.update(recurring=None)

    giver.tell({**paid, "id": "evt_first", "type": type_})

    assert FAILED not in subjects()
    assert CONFIRMS not in subjects()


def test_an_invoice_of_something_else_is_none_of_ours(giver):
    giver.pay()
    events = giver.events()
    paid = next(event for event in events if event["type"] == "invoice.paid")
    for number, type_ in enumerate(
        ["invoice.paid", "invoice.payment_failed", "invoice.payment_action_required"]
    ):
        invoice = {**paid["data"]["object"], "parent": None}
        giver.tell({**paid, "id": f"evt_{number}", "type": type_, "data": {"object": invoice}})

    assert subjects() == []


def test_who_left_no_address_is_told_nothing(giver):
    RecurringGift.objects.update(donor_email="", erased_at="2026-01-01T00:00:00Z",
                                 public_name="", owner_id="")  # fmt: skip
    giver.pay()
    giver.tell()

    assert subjects() == []
    assert not RecurringNotice.objects.exists()
    assert giver.recurring.donor_email == ""


def test_a_name_in_a_mail_is_written_as_it_is(giver):
    giver.organisation.name = "Bread & Roses <3"
    giver.organisation.save(update_fields=["name"])
    giver.pay()

    giver.tell()

    assert subjects() == ["You give to Bread & Roses <3 every month"]


def test_a_notice_and_a_gift_are_named_without_their_donor(giver):
    giver.pay()
    giver.tell()

    assert str(RecurringNotice.objects.get()) == f"started of {giver.recurring.id}"
    assert str(giver.recurring) == giver.recurring.id
