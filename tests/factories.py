"""The dull parts of the rows that tests need. Ledger rows come from `append`, never from here."""

from datetime import UTC, date, datetime, timedelta

import factory
from django.conf import settings
from django.utils import timezone
from factory.django import DjangoModelFactory, Password

from common.ids import make_id
from credits.models import CreditGrant, GrantRule
from donations.models import Donation, Fund, RecurringGift, RefundRequest
from ledger.models import PUBLIC, Book, Entry, HeadsCheckpoint, HeadsTimestamp
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from organisations.models import (
    ApiKey,
    Document,
    Invitation,
    Mail,
    Membership,
    Organisation,
    StripeAccountState,
    User,
)
from organisations.services import keys, tenants
from reviews.models import Case, Decision, Hold, Note, RuleVersion, SanctionList, Screening
from treasury.models import BalanceTransaction, Dispute, Payout, StripeBalance, StripeReading
from webhooks.models import Backfill, Delivery, Endpoint, Message, StripeEvent, Worker

PASSWORD = "correct horse battery staple"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in, and no more."""

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    password = Password(PASSWORD)

    class Meta:
        model = User


class ApplicantFactory(DjangoModelFactory[Organisation]):
    """An organisation that staff have not decided on."""

    name = factory.Sequence(lambda number: f"Charity {number}")
    slug = factory.Sequence(lambda number: f"charity-{number}")
    country = "BE"
    currency = "EUR"
    stripe_account = factory.Sequence(lambda number: f"acct_{number}")

    class Meta:
        model = Organisation


class OrganisationFactory(ApplicantFactory):
    """A public organisation: with its book, open at the genesis, and its general fund."""

    @classmethod
    def _create(cls, model_class, *args, **kwargs) -> Organisation:
        applicant = super()._create(model_class, *args, **kwargs)
        return tenants.approve(organisation=applicant, decided_by=None, reason="Known to us.")


class MembershipFactory(DjangoModelFactory[Membership]):
    """Somebody's part in an organisation."""

    organisation = factory.SubFactory(OrganisationFactory)
    user = factory.SubFactory(UserFactory)
    role = Membership.Role.OWNER

    class Meta:
        model = Membership


class InvitationFactory(DjangoModelFactory[Invitation]):
    """An invitation whose link is known to nobody."""

    organisation = factory.SubFactory(OrganisationFactory)
    email = factory.Sequence(lambda number: f"invited{number}@example.org")
    role = Membership.Role.VIEWER
    invited_by = factory.LazyAttribute(
        lambda invitation: MembershipFactory(organisation=invitation.organisation).user
    )

    class Meta:
        model = Invitation


class DocumentFactory(DjangoModelFactory[Document]):
    """A paper, with its file."""

    organisation = factory.SubFactory(ApplicantFactory)
    name = "statutes.pdf"
    kind = Document.Kind.PDF
    size = 5
    sha256 = factory.Sequence(lambda number: f"{number:064x}")
    stored_as = factory.Sequence(lambda number: f"{number:032x}")
    added_by = factory.SubFactory(UserFactory)

    class Meta:
        model = Document
        skip_postgeneration_save = True

    @factory.post_generation
    def file(document, create, extracted, **_) -> None:  # noqa: N805 - the row, as factory_boy has it
        """Put the bytes where the product keeps them."""
        folder = settings.DATA_DIR / "documents"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / document.stored_as).write_bytes(extracted or b"%PDF-")


class StripeAccountStateFactory(DjangoModelFactory[StripeAccountState]):
    """An account that may do everything."""

    organisation = factory.SubFactory(ApplicantFactory)
    charges_enabled = True
    payouts_enabled = True
    details_submitted = True
    read_at = NOON

    class Meta:
        model = StripeAccountState


class FundFactory(DjangoModelFactory[Fund]):
    """Something to give to."""

    organisation = factory.SubFactory(OrganisationFactory)
    slug = factory.Sequence(lambda number: f"fund-{number}")
    name = "Winter shelter"

    class Meta:
        model = Fund


class DonationFactory(DjangoModelFactory[Donation]):
    """A gift that nobody has paid."""

    organisation = factory.SubFactory(OrganisationFactory)
    flow = Donation.Flow.CHECKOUT
    amount = 5000
    currency = "EUR"

    class Meta:
        model = Donation


class RecurringGiftFactory(DjangoModelFactory[RecurringGift]):
    """A gift that is to repeat every month; nobody has paid yet."""

    organisation = factory.SubFactory(OrganisationFactory)
    interval = RecurringGift.Interval.MONTH
    amount = 1000
    currency = "EUR"

    class Meta:
        model = RecurringGift


class RefundRequestFactory(DjangoModelFactory[RefundRequest]):
    """A refund of one cent that nobody has asked Stripe for."""

    organisation = factory.SelfAttribute("donation.organisation")
    donation = factory.SubFactory(DonationFactory)
    amount = 1
    reason = RefundRequest.Reason.REQUESTED_BY_CUSTOMER
    key = factory.Sequence(lambda number: f"form:{number}")

    class Meta:
        model = RefundRequest


class GrantRuleFactory(DjangoModelFactory[GrantRule]):
    """A credit for every euro."""

    organisation = factory.SubFactory(OrganisationFactory)
    application = "credits"
    currency = "EUR"
    minor_units_per_credit = 100
    is_active = True

    class Meta:
        model = GrantRule


class CreditGrantFactory(DjangoModelFactory[CreditGrant]):
    """Credits that a gift grants, and that wait to be written."""

    organisation = factory.SubFactory(OrganisationFactory)
    donation = factory.LazyAttribute(
        lambda grant: DonationFactory(organisation=grant.organisation).id
    )
    application = "credits"
    owner_id = "ann"
    amount = 50

    class Meta:
        model = CreditGrant


class BalanceTransactionFactory(DjangoModelFactory[BalanceTransaction]):
    """A movement, apart from its entries."""

    organisation = factory.SubFactory(OrganisationFactory)
    stripe_id = factory.Sequence(lambda number: f"txn_{number}")
    type = "charge"
    reporting_category = "charge"
    amount = 5000
    fee = 170
    net = 4830
    currency = "EUR"
    purpose = "fund:general"
    occurred_at = NOON

    class Meta:
        model = BalanceTransaction


class PayoutFactory(DjangoModelFactory[Payout]):
    """A payout that arrived, of which Stripe said no more."""

    organisation = factory.SubFactory(OrganisationFactory)
    stripe_id = factory.Sequence(lambda number: f"po_{number}")
    amount = 4830
    currency = "EUR"
    status = Payout.Status.PAID
    arrival_on = date(2026, 11, 23)
    automatic = True
    created_at = NOON
    read_at = NOON
    paid_at = factory.LazyAttribute(lambda own: NOON if own.status == "paid" else None)
    failed_at = factory.LazyAttribute(lambda own: NOON if own.status == "failed" else None)

    class Meta:
        model = Payout


class StripeBalanceFactory(DjangoModelFactory[StripeBalance]):
    """A balance as read."""

    organisation = factory.SubFactory(OrganisationFactory)
    currency = "EUR"
    available = 4000
    pending = 830
    read_at = NOON

    class Meta:
        model = StripeBalance


class StripeReadingFactory(DjangoModelFactory[StripeReading]):
    """How reading goes."""

    organisation = factory.SubFactory(OrganisationFactory)
    read_at = NOON

    class Meta:
        model = StripeReading


class StripeEventFactory(DjangoModelFactory[StripeEvent]):
    """An event that was acted on."""

    id = factory.Sequence(lambda number: f"evt_{number}")
    organisation = factory.SubFactory(OrganisationFactory)
    account = factory.SelfAttribute("organisation.stripe_account")
    type = "charge.succeeded"
    livemode = False
    occurred_at = NOON
    payload = {"id": "evt", "billing_details": {"email": "donor@example.org"}}
    status = StripeEvent.Status.DONE

    class Meta:
        model = StripeEvent


class BackfillFactory(DjangoModelFactory[Backfill]):
    """Events that were asked for."""

    organisation = factory.SubFactory(OrganisationFactory)
    until = NOON

    class Meta:
        model = Backfill


class DisputeFactory(DjangoModelFactory[Dispute]):
    """A dispute that can be answered."""

    organisation = factory.SubFactory(OrganisationFactory)
    stripe_id = factory.Sequence(lambda number: f"dp_{number}")
    charge = "ch_1"
    amount = 5000
    currency = "EUR"
    reason = "fraudulent"
    status = "needs_response"
    opened_at = NOON
    told_at = NOON

    class Meta:
        model = Dispute


class MailFactory(DjangoModelFactory[Mail]):
    """A mail that waits."""

    recipient = "zoe@example.org"
    subject = "News"
    body = "Nothing new."

    class Meta:
        model = Mail


class EndpointFactory(DjangoModelFactory[Endpoint]):
    """An integrator's address, without a secret."""

    organisation = factory.SubFactory(OrganisationFactory)
    url = factory.Sequence(lambda number: f"https://hooks.example.org/{number}")
    events = ["donation.settled"]

    class Meta:
        model = Endpoint


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """A message on its way."""

    endpoint = factory.SubFactory(EndpointFactory)
    organisation = factory.SelfAttribute("endpoint.organisation")
    message = factory.LazyAttribute(
        lambda delivery: Message.objects.create(
            organisation=delivery.organisation,
            type="webhook.test",
            subject=make_id("test"),
            body="{}",
        )
    )
    next_attempt_at = NOON

    class Meta:
        model = Delivery


class WorkerFactory(DjangoModelFactory[Worker]):
    """A worker process."""

    name = factory.Sequence(lambda number: f"host/{number}")
    seen_at = NOON

    class Meta:
        model = Worker


class CaseFactory(DjangoModelFactory[Case]):
    """Something for staff to decide."""

    organisation = factory.SubFactory(OrganisationFactory)
    kind = Case.Kind.UNCLASSIFIED
    subject = factory.Sequence(lambda number: f"txn_{number}")
    summary = "An adjustment."

    class Meta:
        model = Case


class DecisionFactory(DjangoModelFactory[Decision]):
    """A proposal that nobody has confirmed."""

    case = factory.SubFactory(CaseFactory)
    round = factory.SelfAttribute("case.round")
    choice = "close"
    reason = "It is explained."
    by = factory.SubFactory(UserFactory)
    is_final = False

    class Meta:
        model = Decision


class NoteFactory(DjangoModelFactory[Note]):
    """Something that was said of a case."""

    case = factory.SubFactory(CaseFactory)
    kind = Note.Kind.COMMENT
    by = factory.SubFactory(UserFactory)
    text = "I wrote to them."

    class Meta:
        model = Note


class HoldFactory(DjangoModelFactory[Hold]):
    """A card that is authorised, and not charged."""

    organisation = factory.SubFactory(OrganisationFactory)
    case = factory.SubFactory(CaseFactory, organisation=factory.SelfAttribute("..organisation"))
    gift = factory.Sequence(lambda number: f"don_{number}")
    kind = Hold.Kind.CAPTURE
    amount = 120_000
    currency = "EUR"
    purpose = "fund:general"
    payment_intent = "pi_1"
    lapses_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=5))

    class Meta:
        model = Hold


class ScreeningFactory(DjangoModelFactory[Screening]):
    """A gift at which one rule hit."""

    organisation = factory.SubFactory(OrganisationFactory)
    occasion = Screening.Occasion.SETTLEMENT
    subject = "don_1"
    verdict = Screening.Verdict.REVIEW
    score = 40
    results = factory.LazyFunction(lambda: [found()])
    hits = factory.List(["donor_pace"])
    duration_us = 400

    class Meta:
        model = Screening


class SanctionListFactory(DjangoModelFactory[SanctionList]):
    """The European Union's list, loaded now."""

    source = "EU"
    published_on = NOON.date()
    imported_at = factory.LazyFunction(timezone.now)
    sha256 = "a" * 64
    entries = 17_214

    class Meta:
        model = SanctionList


class RuleVersionFactory(DjangoModelFactory[RuleVersion]):
    """Parameters that somebody proposed."""

    rule = "donor_pace"
    number = 1
    parameters = factory.Dict({"per_hour": 3})
    reason = "Choirs give together."
    proposed_by = factory.SubFactory(UserFactory)

    class Meta:
        model = RuleVersion


def found(rule: str = "donor_pace", outcome: str = "hit", **fields) -> dict[str, object]:
    """Return what a rule found, as a screening keeps it."""
    result = {
        "rule": rule,
        "version": "shipped",
        "mode": "active",
        "outcome": outcome,
        "verdict": "review" if outcome == "hit" else "approve",
        "score": 40 if outcome == "hit" else 0,
        "evidence": {"tries": 3, "limit": 2},
        "duration_us": 120,
    }
    return result | fields


def gift_entries(
    organisation: Organisation, count: int = 1, *, first: int = 0, **fields
) -> list[Entry]:
    """Append gifts of 50.00 EUR to an organisation's public book."""
    gift = {
        "operation": MoneyOperation.DONATION_RECEIVED,
        "amount": 5000,
        "currency": "EUR",
        "debit": "stripe",
        "credit": "fund:winter-shelter",
        **fields,
    }
    drafts = [Draft(nonce=f"gift:{number}", **gift) for number in range(first, first + count)]
    book = Book.objects.get(organisation=organisation, book=PUBLIC)
    return append(book=book, drafts=drafts)


def key_of(organisation: Organisation, *scopes: str, application: str = "donations") -> str:
    """Return the secret of a new API key."""
    issued = keys.issue_api_key(
        organisation=organisation,
        application=application,
        name="A test",
        scopes=list(scopes) or [ApiKey.Scope.DONATIONS],
        livemode=False,
    )
    return issued.secret


def stamped(checkpoint: HeadsCheckpoint) -> HeadsTimestamp:
    """Store an answer of a time stamper about a checkpoint, which none gave."""
    return HeadsTimestamp.objects.create(
        checkpoint=checkpoint, response=b"answer", stamped_at=NOON, received_at=NOON
    )
