"""Fill the demo: a year of gifts through the real pipeline, then `demo.json`."""

import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from common.money import exponent_of
from common.stripe_api import client, on_account
from donations.services.funds import create_fund
from donations.services.promises import create_sandbox_account
from ledger.witness_page import policy_file
from organisations.models import ApiKey, Membership, Organisation, User
from organisations.services import account_states, keys, members, tenants
from webhooks import demo_applicant, demo_desk
from webhooks.demo import (
    CHARITIES,
    PAYOUT_EVERY,
    Charity,
    GiftStory,
    gifts_of,
    operations_of,
    today,
)
from webhooks.demo_world import (
    TIMEOUT_SECONDS,
    control,
    pay,
    person,
    promise,
    set_clock,
    wait_until_booked,
)

STAFF_EMAIL = "staff@almoner.example"
BAR_WIDTH = 32


class Command(BaseCommand):
    """Does what a year would do, in under a minute; run again, it goes on where it stopped."""

    help = "Fill the demo through the sandbox, the webhooks and the worker."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the demo unless it is filled, and write demo.json anew."""
        if not settings.USES_STRIPE_SANDBOX or not settings.STRIPE_API_BASE:
            raise CommandError("The demo needs the sandbox: start it with `make run`.")
        demo_path = settings.DATA_DIR / "demo.json"
        known = json.loads(demo_path.read_text()) if demo_path.exists() else {}
        if not known:
            known = self._fill()
        surroundings = {
            "base_url": settings.BASE_URL,
            "stripe": {
                "api_base": settings.STRIPE_API_BASE,
                "secret_key": settings.STRIPE_SECRET_KEY,
                "webhook_secret": settings.STRIPE_WEBHOOK_SECRETS[0],
            },
            "database": {
                "url": os.environ["DATABASE_URL"],
                "owner_url": os.environ["DATABASE_OWNER_URL"],
            },
        }
        write_private(demo_path, json.dumps(known | surroundings, indent=2) + "\n")
        introduce_to_witness()

    def _fill(self) -> dict[str, Any]:
        staff, staff_account = person(STAFF_EMAIL, "Demo Staff", is_staff=True, is_superuser=True)
        houses = [set_up(charity, staff) for charity in CHARITIES]
        demo_applicant.apply(person(demo_applicant.OWNER_EMAIL, demo_applicant.OWNER_NAME)[0])
        introduce_to_witness()
        colleagues = demo_desk.hire()
        demo_desk.test_cards(houses[1])
        stories = [list(gifts_of(charity, today())) for charity in CHARITIES]
        bar = Bar(sum(len(gifts) for gifts in stories))
        with ThreadPoolExecutor(len(CHARITIES)) as pool:
            years = [
                pool.submit(live_a_year, house, gifts, bar.step)
                for house, gifts in zip(houses, stories, strict=True)
            ]
            for year in years:
                year.result()
        wait_until_booked()
        bar.finish()
        for operation in operations_of(CHARITIES[0], today()):
            post(houses[0], operation)
        demo_desk.fill(houses, colleagues)
        reviewers = [colleague.account for colleague in colleagues]
        return {"staff": staff_account, "reviewers": reviewers, "organisations": houses}


class Bar:
    """A progress bar on the terminal; a few plain lines where there is none."""

    def __init__(self, total: int) -> None:
        """Begin at nothing of `total`."""
        self.total, self.done, self.lock = total, 0, threading.Lock()

    def step(self) -> None:
        """Draw one step more."""
        with self.lock:
            self.done += 1
            filled = BAR_WIDTH * self.done // self.total
            bar = "█" * filled + "░" * (BAR_WIDTH - filled)
            line = f"Filling the demo {bar} {self.done}/{self.total} gifts"
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{line}")
            elif self.done % 50 == 0:
                sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def finish(self) -> None:
        """End the line."""
        sys.stderr.write("\nEvery gift is booked.\n")


def set_up(charity: Charity, staff: User) -> dict[str, Any]:
    """Set up one organisation with funds, keys, an owner, and an account at the sandbox."""
    organisation = Organisation.objects.filter(slug=charity.slug).first()
    if organisation is None:
        account = create_sandbox_account(
            country=charity.country,
            currency=charity.currency,
            name=charity.name,
            bears_losses=charity.bears_losses,
        )
        organisation = tenants.create_organisation(**charity.fields(), stripe_account=account)
    if not organisation.is_public:
        organisation = tenants.approve(
            organisation=organisation, decided_by=staff, reason="Papers and bank account checked."
        )
    account_states.read_state(organisation=organisation)
    unit = 10 ** exponent_of(charity.currency)
    for position, fund in enumerate(charity.funds):
        create_fund(
            organisation=organisation,
            slug=fund.slug,
            name=fund.name,
            summary=fund.summary,
            goal=fund.goal and fund.goal * unit,
            position=position,
        )
    owner, owner_account = person(f"owner@{charity.slug}.example", charity.owner)
    members.add_member(organisation=organisation, user=owner, role=Membership.Role.OWNER)
    return {
        "id": organisation.id,
        "slug": organisation.slug,
        "stripe_account": organisation.stripe_account,
        "api_key": issue(organisation, "donations", ApiKey.Scope.DONATIONS),
        "credits_api_key": issue(organisation, "credits", ApiKey.Scope.LEDGER),
        "owner": owner_account,
    }


def issue(organisation: Organisation, application: str, scope: str) -> str:
    """Issue a key for the demo and return its secret."""
    issued = keys.issue_api_key(
        organisation=organisation,
        application=application,
        name=f"Demo: {application}",
        scopes=[scope],
        livemode=settings.STRIPE_LIVEMODE,
    )
    return issued.secret


def live_a_year(house: dict[str, Any], gifts: list[GiftStory], step: Callable[[], None]) -> None:
    """Let people give to one organisation for a year, and its money be paid out every month."""
    next_payout = gifts[0].given_at + PAYOUT_EVERY
    for gift in gifts:
        if gift.given_at > next_payout:
            set_clock(house, next_payout)
            pay_out(house)
            next_payout += PAYOUT_EVERY
        set_clock(house, gift.given_at)
        give(house, gift)
        step()
    set_clock(house, None)
    connection.close()


def give(house: dict[str, Any], gift: GiftStory) -> None:
    """Promise a gift over our API, pay it at the sandbox, and let come of it what may."""
    promised = promise(
        house,
        str(gift.number),
        amount=gift.amount,
        currency=gift.currency,
        fund=gift.fund,
        donor={"email": gift.donor},
        public_name=gift.public_name,
    )
    session_id = pay(promised, *gift.cards)
    if gift.is_refunded:
        refund(house, session_id, gift.amount // 2)


def post(house: dict[str, Any], operation: dict[str, Any]) -> None:
    """Give or take credits over our API, as an organisation's own application does."""
    requests.post(
        f"{settings.BASE_URL}/v1/ledger",
        json=operation,
        headers={"Authorization": f"Bearer {house['credits_api_key']}"},
        timeout=TIMEOUT_SECONDS,
    ).raise_for_status()


def refund(house: dict[str, Any], session_id: str, amount: int) -> None:
    """Give half of a gift back, as the organisation would on Stripe's dashboard."""
    account = house["stripe_account"]
    sessions = client().v1.checkout.sessions
    session = sessions.retrieve(session_id, options=on_account(account))
    client().v1.refunds.create(
        {"payment_intent": str(session.payment_intent), "amount": amount},
        on_account(account, f"demo:refund:{session_id}"),
    )


def pay_out(house: dict[str, Any]) -> None:
    """Send what is available to the bank, when there is something."""
    account = house["stripe_account"]
    for part in client().v1.balance.retrieve(options=on_account(account)).available:
        if part.amount > 0:
            payout = control("payouts", account=account, currency=part.currency)
            control(f"payouts/{payout['id']}/pay")


def introduce_to_witness() -> None:
    """Tell the demo's own witness, where there is one, which logs there are."""
    folder = settings.DATA_DIR / "witness"
    if folder.exists():
        write_private(folder / "logs.policy", policy_file())


def write_private(path: Any, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
