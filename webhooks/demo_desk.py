"""
The demo's desk: what waits for the staff, and what they decided.

All of it came about as it does in life: by gifts and payouts at the sandbox that its webhooks tell,
and by services. Four things are played, since nobody waits for them: how long a broken webhook
has failed, the pauses between the tries of an event, that the night comes, for its audit, while a
file is damaged, and that the cases were decided just now.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from donations.models import Donation, RefundRequest
from donations.services.capturing import carry_out_due
from donations.services.refunding import ask_due
from donations.services.refunds import Wish, take_down
from donations.services.settled import screen_gift
from ledger.models import Book
from ledger.services.checkpoints import kept_file
from ledger.services.sealing import unsealed
from organisations.models import Organisation, User
from reviews.models import Case, RuleVersion
from reviews.services.cases import comment, take
from reviews.services.deciding import decide, newest_proposal
from reviews.services.versions import propose
from reviews.tasks import audit_books_nightly
from webhooks.demo import DECLINED, DISPUTED, card_of
from webhooks.demo_world import control, pay, person, promise, wait_for, wait_until_booked
from webhooks.models import StripeEvent, Topic
from webhooks.services.inbox import take_in
from webhooks.services.outcomes import Outcome, record
from webhooks.services.subscribing import add_endpoint
from webhooks.services.telling import send_test

WARNED, AT_ONCE = "4000000000005423", "4000000000000077"
PARKED = "evt_demo_unreadable"
TESTED_CARDS = 4
DECIDED_MAX = 50
# An example of the registry of IBANs, which no bank has.
NEW_IBAN = "NL91 ABNA 0417 1643 00"
Kind = Case.Kind


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of the demo's staff, and how they sign in."""

    user: User
    account: dict[str, str]


@dataclass(frozen=True, slots=True)
class Story:
    """A gift that staff hear of: `amount` counts minor units of EUR."""

    key: str
    amount: int
    donor: str
    email: str
    card: str
    interval: str | None = None


LANTERN = (
    Story("proposed", 250_000, "Ines Okafor", "ines.okafor@example.org", card_of(60)),
    Story("held", 120_000, "Bram Peeters", "bram.peeters@example.org", card_of(61), "month"),
    Story("refused", 150_000, "K. Lindqvist", "k.lindqvist@example.org", card_of(62), "month"),
    Story("disputed", 7_500, "Ewa Nowak", "ewa.nowak@example.org", DISPUTED),
    Story("refunded", 30_000, "Tom Abara", "tom.abara@example.org", card_of(63)),
)
SALTMARSH = (
    Story("waiting", 180_000, "Clara Nogueira", "clara.nogueira@example.org", card_of(64)),
    Story("released", 110_000, "Luis Prado", "luis.prado@example.org", card_of(65), "month"),
    Story("captured", 60_000, "Marta Reis", "marta.reis@example.org", card_of(66)),
    Story("warned", 5_000, "Jo Amaral", "jo.amaral@example.org", WARNED),
    Story("kept", 3_000, "Sofia Brito", "sofia.brito@example.org", WARNED),
    Story("paid-out", 4_000, "Rita Melo", "rita.melo@example.org", AT_ONCE),
)


def hire() -> list[Colleague]:
    """Return a reviewer and a lead: what one of them proposes, another has to confirm."""
    wanted = [("reviewer", "Noor Haddad"), ("lead", "Jonas Berg")]
    return [_hire(group, name) for group, name in wanted]


def _hire(group: str, name: str) -> Colleague:
    user, account = person(f"{group}@almoner.example", name, is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return Colleague(user, account)


def test_cards(house: dict[str, Any]) -> None:
    """Have a program try out cards on one organisation's form, until it is stopped."""
    if _is_known(house, Kind.CARD_TESTING):
        return
    # Under addresses of its own, so that nobody else is stopped with it.
    for number in range(1, TESTED_CARDS):
        pay(_try_on(house, number), *[DECLINED] * TESTED_CARDS)
    wait_until_booked()
    _try_on(house, TESTED_CARDS)


def _try_on(house: dict[str, Any], number: int) -> dict[str, Any]:
    donor = {"email": f"tester{number}@example.net"}
    return promise(house, f"tested-{number}", amount=500, currency="JPY", donor=donor)


def fill(houses: list[dict[str, Any]], colleagues: list[Colleague]) -> None:
    """Let happen what staff hear of, and let them decide some of it."""
    lantern, kawabe, saltmarsh = houses
    reviewer, lead = (colleague.user for colleague in colleagues)
    gifts = dict(_give(lantern, LANTERN)) | dict(_give(saltmarsh, SALTMARSH))
    _move_money(lantern)
    wait_until_booked()
    for gift in gifts.values():
        screen_gift(gift)
    _fail_payout(saltmarsh)
    _swap_bank(saltmarsh)
    _break_webhook(lantern)
    _ask_refund(gifts["refunded"])
    _decide(gifts, lantern, reviewer, lead)
    _propose_rule(lead)
    wait_until_booked()
    _park_event(lantern)
    _fail_audit(kawabe, lead)


def _give(house: dict[str, Any], stories: tuple[Story, ...]) -> Iterator[tuple[str, Donation]]:
    for story in stories:
        repeats = {"interval": story.interval} if story.interval else {}
        promised = promise(
            house,
            story.key,
            amount=story.amount,
            currency="EUR",
            donor={"email": story.email, "name": story.donor},
            **repeats,
        )
        pay(promised, story.card)
        yield story.key, Donation.objects.select_related("organisation").get(id=promised["id"])


def _move_money(house: dict[str, Any]) -> None:
    """Have Stripe move money for reasons that the ledger has no name for."""
    if _is_known(house, Kind.UNCLASSIFIED):
        return
    for amount, description in ((1_240, "Partner incentive"), (-310, "Terminal rental")):
        control(
            "balance_transactions",
            account=house["stripe_account"],
            type="adjustment",
            reporting_category="partner_programme",
            amount=amount,
            currency="eur",
            description=description,
        )


def _fail_payout(house: dict[str, Any]) -> None:
    if _is_known(house, Kind.PAYOUT):
        return
    payout = control("payouts", account=house["stripe_account"], currency="eur")
    control(f"payouts/{payout['id']}/fail")


def _swap_bank(house: dict[str, Any]) -> None:
    """Have payouts go to another bank account, as after one was closed; staff look at that."""
    if not _is_known(house, Kind.ACCOUNT):
        control(f"accounts/{house['stripe_account']}/bank", iban=NEW_IBAN)


@transaction.atomic
def _break_webhook(house: dict[str, Any]) -> None:
    """Have an address fail for days; nobody is asked in fact, since it is not seen before."""
    if _is_known(house, Kind.SUBSCRIBER):
        return
    endpoint = add_endpoint(
        organisation=Organisation.objects.get(slug=house["slug"]),
        url="https://hooks.lantern-house.example/almoner",
        events=[Topic.DONATION_SETTLED, Topic.PAYOUT_ARRIVED],
        description="Our donor database",
    ).endpoint
    delivery = send_test(endpoint=endpoint)
    for ago in (timedelta(days=4), timedelta()):
        outcome = Outcome(timezone.now() - ago, 31, 503, "Service Unavailable", "")
        record(delivery=delivery, outcome=outcome)


def _ask_refund(gift: Donation) -> None:
    wish = Wish(amount=None, reason=RefundRequest.Reason.REQUESTED_BY_CUSTOMER, key="demo-refund")
    take_down(organisation=gift.organisation, donation_id=gift.id, wish=wish)


def _decide(
    gifts: dict[str, Donation], lantern: dict[str, Any], reviewer: User, lead: User
) -> None:
    captured, kept = _case_of(gifts["captured"]), _case_of(gifts["kept"])
    _settle(captured, "release", "Gave at our open day; the treasurer knows her.", reviewer)
    _settle(kept, "keep", "Rang the donor: she paid herself, and her bank knows now.", reviewer)
    released, refused = _case_of(gifts["released"]), _case_of(gifts["refused"])
    _settle(released, "release", "A legacy that the trust was told of by letter.", reviewer, lead)
    _settle(refused, "refuse", "The cardholder did not know of the gift.", reviewer, lead)
    moved = Case.objects.filter(organisation_id=lantern["id"], kind=Kind.UNCLASSIFIED)
    _settle(moved.order_by("id")[0], "close", "A bonus of Stripe's partner programme.", reviewer)
    _settle(_case_of(gifts["proposed"]), "release", "Her bank confirmed the transfer.", reviewer)
    _begin(_case_of(gifts["held"]), reviewer, "I wrote to the donor, and wait for an answer.")
    carry_out_due(limit=DECIDED_MAX)
    ask_due(limit=DECIDED_MAX)


def _settle(case: Case, choice: str, reason: str, *people: User) -> None:
    """Have people decide a case one after the other, unless they did."""
    for by in people:
        case.refresh_from_db()
        if case.closed_at is None and by != getattr(newest_proposal(case), "by", None):
            decide(case=case, by=by, choice=choice, reason=reason)


def _begin(case: Case, by: User, text: str) -> None:
    if case.assigned_to != by:
        take(case=case, by=by)
        comment(case=case, by=by, text=text)


def _propose_rule(lead: User) -> None:
    if not RuleVersion.objects.filter(rule="first_gift").exists():
        propose(
            rule="first_gift",
            organisation=None,
            parameters={"least": {"*": 800}},
            mode=RuleVersion.Mode.ACTIVE,
            reason="Two first gifts of 900 turned out to be stolen cards.",
            by=lead,
        )


def _park_event(house: dict[str, Any]) -> None:
    """Have an event come that nobody can read, and be tried as often as any, without the pauses."""
    dispute = {"id": "dp_demo", "object": "dispute", "amount": 2_500, "currency": "eur"}
    take_in(
        {
            "id": PARKED,
            "object": "event",
            "account": house["stripe_account"],
            "created": int(time.time()),
            "data": {"object": dispute},
            "livemode": False,
            "type": "charge.dispute.updated",
        }
    )
    event, seen = StripeEvent.objects.get(id=PARKED), None

    def has_ended() -> bool:
        nonlocal seen
        event.refresh_from_db()
        is_pending, pause = event.status == StripeEvent.Status.PENDING, event.next_attempt_at
        if is_pending and pause == seen:  # nobody works on it: it waits for its next try
            event.next_attempt_at = timezone.now()
            event.save(update_fields=["next_attempt_at"])
        seen = pause
        return not is_pending

    wait_for(has_ended)


def _fail_audit(house: dict[str, Any], lead: User) -> None:
    """Have an audit find a damaged file beside a book; it is put back, so the book verifies."""
    if _is_known(house, Kind.AUDIT):
        return
    book = Book.objects.public().get(organisation=house["id"])
    wait_for(lambda: book not in unsealed())
    file = kept_file(book)
    good = file.rename(file.with_name("as-it-was"))
    try:
        file.write_text("")
        audit_books_nightly(timestamp=int(time.time()))
    finally:
        good.replace(file)
    case = Case.objects.get(organisation=house["id"], kind=Kind.AUDIT)
    _begin(case, lead, "A disk had lost what stood there. It is back, and the book verifies again.")


def _case_of(gift: Donation) -> Case:
    return Case.objects.filter(gift=gift.id).order_by("id")[0]


def _is_known(house: dict[str, Any], kind: Case.Kind) -> bool:
    return Case.objects.filter(organisation_id=house["id"], kind=kind).exists()
