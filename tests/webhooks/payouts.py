"""Accounts whose payouts the platform times, at the sandbox."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from common.stripe_api import client
from organisations.models import Organisation
from organisations.services.account_states import read_state
from reviews.models import Case
from reviews.services.deciding import decide
from tests.factories import OrganisationFactory, UserFactory
from webhooks.services.backfilling import backfill
from webhooks.services.draining import drain_due

IBAN, OTHER_IBAN = "FR14 2004 1010 0505 0001 3M02 606", "DE89 3704 0044 0532 0130 00"


def opened(**fields: Any) -> Organisation:
    """Return an approved organisation with an account whose losses the platform bears."""
    wanted: Any = {"type": "custom", "country": "FR", "default_currency": "eur", **fields}
    organisation = OrganisationFactory(stripe_account=client().v1.accounts.create(wanted).id)
    read_state(organisation=organisation)
    return organisation


def account_of(organisation: Organisation) -> str:
    """Return the id of an organisation's account."""
    return str(organisation.stripe_account)


def swap_bank(sandbox: Any, organisation: Organisation, iban: str = IBAN) -> None:
    """Have payouts go to another bank account, and hear of it."""
    sandbox.control(f"accounts/{account_of(organisation)}/bank", iban=iban)
    backfill(organisation=organisation)
    while drain_due():
        pass


def set_schedule(organisation: Organisation, **schedule: str) -> None:
    """Have Stripe pay out in another rhythm."""
    changes: Any = {"settings": {"payouts": {"schedule": schedule}}}
    client().v1.accounts.update(account_of(organisation), changes)


def schedule_of(organisation: Organisation) -> dict[str, Any]:
    """Return in which rhythm Stripe pays out."""
    told: Any = client().v1.accounts.retrieve(account_of(organisation)).to_dict()
    schedule: dict[str, Any] = told["settings"]["payouts"]["schedule"]
    return schedule


def has_waited(sandbox: Any, organisation: Organisation, days: int = 10) -> None:
    """Let Stripe make available what was paid."""
    later = int((timezone.now() + timedelta(days=days)).timestamp())
    sandbox.control("clock", account=account_of(organisation), now=later)


def at_bank(sandbox: Any, organisation: Organisation) -> list[int]:
    """Return how much each payout that Stripe sent is."""
    return [payout["amount"] for payout in sandbox.list("payouts", account_of(organisation))]


def released(case: Case) -> Case:
    """Have staff let payouts go on: that takes two people."""
    for person in UserFactory.create_batch(2):
        decide(case=case, by=person, choice="release", reason="It is theirs.")
    case.refresh_from_db()
    return case
