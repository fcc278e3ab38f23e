"""Staff erase who gave, at a donor's request: with a reason, and by permission."""

from django.contrib.admin.models import LogEntry

from tests.admin.test_decisions import told
from tests.factories import DonationFactory

GIFTS = "/admin/donations/donation/"
NAMES = ("donations.view_donation", "donations.erase_donor")


def act(client, gift, **fields):
    data = {"action": "erase", "_selected_action": [gift.id], **fields}
    if "reason" not in fields:
        data["index"] = 0
    return client.post(GIFTS, data, follow=True)


def test_a_reason_is_asked_first(chief, db):
    gift = DonationFactory(donor_name="Ann")

    page = act(chief, gift)

    assert page.context["title"] == "Erase who gave, for ever"
    gift.refresh_from_db()
    assert gift.donor_name == "Ann"


def test_the_erasure_is_logged_with_its_reason_and_no_name(staff_with):
    gift = DonationFactory(donor_name="Ann")

    page = act(staff_with(*NAMES), gift, reason="Asked for by letter.")

    gift.refresh_from_db()
    assert (gift.donor_name, gift.erased_at is None) == ("", False)
    assert told(page) == [f"{gift.id}: who gave was erased."]
    assert LogEntry.objects.get().change_message == "who gave was erased: Asked for by letter."


def test_who_only_looks_does_not_erase(staff_with):
    gift = DonationFactory(donor_name="Ann")

    act(staff_with("donations.view_donation"), gift, reason="I want to.")

    gift.refresh_from_db()
    assert gift.donor_name == "Ann"
