"""A donor who gives every month, and the sandbox that plays Stripe."""

from dataclasses import dataclass
from typing import Any

import pytest

from donations.models import Donation, RecurringGift
from donations.services.promises import create_sandbox_account, promise_donation
from organisations.models import Mail, Organisation
from tests.factories import FundFactory, OrganisationFactory
from tests.sandbox_fixtures import SandboxProcess, sandbox_process, sandbox_stripe
from tests.webhooks.messages import deliver
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

__all__ = ["sandbox_process", "sandbox_stripe"]

GOOD, NEVER, CONFIRM = "4242424242424242", "4000000000000341", "4000002760003184"
EMAIL = "zoe@example.org"


@dataclass
class Giver:
    """Somebody who promised to give 10.00 EUR again and again, and what happens to it."""

    sandbox: SandboxProcess
    organisation: Organisation
    donation: Donation

    @property
    def recurring(self) -> RecurringGift:
        """The gift, as it is now."""
        return RecurringGift.objects.get(payments=self.donation)

    @property
    def subscription(self) -> str:
        """Its subscription at Stripe, whether or not we know it."""
        page, account = self.donation.checkout_session, self.organisation.stripe_account
        name: str = self.sandbox.find("checkout/sessions", page, account)["subscription"]
        return name

    def pay(self, card: str = GOOD) -> None:
        """Pay on the page."""
        session = self.donation.checkout_session
        self._do(f"checkout/{session}/pay", card_number=card, name="Zoë Müller")

    def renew(self, card: str = "") -> None:
        """Let the next month come, perhaps with another card."""
        if card:
            self._do(f"subscriptions/{self.subscription}/card", card_number=card)
        self._do(f"subscriptions/{self.subscription}/renew")

    def retry(self) -> None:
        """Let Stripe try the invoice that waits once more."""
        invoice = self.invoices()[0]["id"]
        self._do(f"invoices/{invoice}/retry")

    def _do(self, path: str, **values: str) -> None:
        self.sandbox.control(path, **values)
        # Until the charge is on the balance.
        self.sandbox.control("delivery/flush")

    def invoices(self) -> list[dict[str, Any]]:
        """Return its invoices, the newest first."""
        return self.sandbox.list("invoices", self.organisation.stripe_account)

    def events(self) -> list[dict[str, Any]]:
        """Return every event of the account that was not delivered yet, the oldest first."""
        told = self.sandbox.list("events", self.organisation.stripe_account)[::-1]
        known = set(StripeEvent.objects.values_list("id", flat=True))
        return [event for event in told if event["id"] not in known]

    def tell(self, *events: dict[str, Any], draining_every: int = 1000) -> None:
        """Deliver events, all that are new where none are given, and act on them."""
        for number, event in enumerate(events or self.events(), start=1):
            assert deliver(event).status_code == 200
            if number % draining_every == 0:
                drain_due()
        while drain_due():
            pass
        assert set(StripeEvent.objects.values_list("status", "note")) == {("done", "")}


@pytest.fixture
def organisation(db, sandbox_stripe) -> Organisation:
    """An approved organisation whose account the sandbox knows."""
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation = OrganisationFactory(name="Eau Vive", slug="eau-vive", stripe_account=account)
    FundFactory(organisation=organisation, slug="wells", name="Wells")
    return organisation


@pytest.fixture
def giver(sandbox_stripe, organisation) -> Giver:
    """Somebody who promised, and has not paid."""
    promised = promise_donation(
        organisation=organisation,
        amount=1000,
        currency="EUR",
        flow=Donation.Flow.CHECKOUT,
        interval="month",
        fund="wells",
        donor_email=EMAIL,
        public_name="Zoë",
        owner_id="zoe-1",
    )
    return Giver(sandbox_stripe, organisation, promised.donation)


def subjects() -> list[str]:
    """Return the subjects of the mail that waits, the oldest first."""
    return list(Mail.objects.order_by("id").values_list("subject", flat=True))


def states(organisation: Organisation) -> list[tuple[Any, ...]]:
    """Return every gift: its status, amounts, fund and donor, the oldest first."""
    gifts = Donation.objects.of(organisation).order_by("created_at", "id")
    fields = ("status", "amount", "currency", "settled_amount", "fund", "donor_email")
    return list(gifts.values_list(*fields))
