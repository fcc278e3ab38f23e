"""Cases: what staff must look at and decide, what they decided, and what was said meanwhile."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from common.ids import new_id
from organisations.models import Organisation, User

OVERTAKEN = "overtaken"
BY_A_PERSON = Q(closed_by__isnull=False)


class CaseQuerySet(models.QuerySet["Case"]):
    """Questions about cases."""

    def open(self) -> Self:
        """Return what is not decided yet."""
        return self.filter(closed_at__isnull=True)

    def waiting(self, now: datetime) -> Self:
        """Return what somebody should look at now: open, and not put off."""
        return self.open().filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))

    def for_person(self, user: User, now: datetime) -> Self:
        """
        Return what waits for this person: theirs, what nobody has, and what they can confirm.

        What somebody has who left the staff is nobody's.
        """
        proposed = Decision.objects.filter(case=OuterRef("pk"), round=OuterRef("round"))
        to_confirm = Q(people_needed=2) & Exists(proposed.exclude(by=user))
        here = User.objects.filter(is_active=True, is_staff=True)
        theirs = Q(assigned_to=user) | ~Q(assigned_to__in=here.values("pk")) | to_confirm
        # Named, not joined: staff are members of few, and the order of the index is kept.
        own = list(user.memberships.values_list("organisation_id", flat=True))
        others = Q(organisation__isnull=True) | ~Q(organisation__in=own)
        return self.waiting(now).filter(theirs & others if own else theirs)

    def most_urgent_first(self) -> Self:
        """Return what is due first on top; what has no day, by its age."""
        return self.order_by(F("due_at").asc(nulls_last=True), "opened_at", "id")


class Case(models.Model):
    """
    Something staff must decide: open, then closed by a person's decision with its reason.

    `subject` names the thing within its organisation (a transaction, an event, a book, a gift);
    there is one open case for it, however often it is reported. `amount` minor units of `currency`
    are at stake, where it is about money. `people_needed` must agree before it is moved or freed.
    A case that its own subject overtook (the money went back by itself) is closed by nobody.
    `round` counts how often it was open. `donor_key` is the keyed hash of the donor's address:
    donors do not decide on their gifts.
    """

    class Kind(models.TextChoices):
        GIFT = "gift", "Gift under review"
        REFUND = "refund", "Refund soon after a gift"
        CARD_TESTING = "card_testing", "Cards are being tested"
        APPLICATION = "application", "Application of an organisation"
        ACCOUNT = "account", "Stripe account to look at"
        DISPUTE = "dispute", "Dispute to be answered"
        FRAUD_WARNING = "fraud_warning", "Early fraud warning"
        UNCLASSIFIED = "unclassified", "Unclassified transaction"
        UNBOOKED = "unbooked", "Transaction that cannot be booked"
        MISMATCH = "mismatch", "Gift and charge differ"
        PARKED_EVENT = "parked_event", "Parked event"
        AUDIT = "audit", "Book that does not verify"
        SEALING = "sealing", "Log that is not sealed any further"
        TIMESTAMP = "timestamp", "Time stamp that did not come"
        WITNESS = "witness", "Log of which a witness saw another"
        DRIFT = "drift", "Ledger that differs from the Stripe balance"
        PAYOUT = "payout", "Payout that failed"
        SUBSCRIBER = "subscriber", "Webhook that cannot be delivered"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("case"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="cases")
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=255)
    summary = models.TextField()
    gift = models.CharField(max_length=32, blank=True, db_default="")
    donor_key = models.CharField(max_length=64, blank=True, db_default="", editable=False)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    opened_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(User, models.PROTECT, null=True, related_name="cases")
    snoozed_until = models.DateTimeField(null=True)
    people_needed = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)
    round = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    choice = models.CharField(max_length=20, blank=True, db_default="", editable=False)
    reason = models.TextField(blank=True, editable=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        permissions = [
            ("decide_case", "Can decide cases"),
            ("set_rules", "Can propose and activate rules"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "opened_at"],
                condition=Q(closed_at__isnull=True),
                name="case_that_waits",
            ),
            models.Index(
                fields=["due_at", "opened_at"],
                condition=Q(closed_at__isnull=True, snoozed_until__isnull=False),
                name="case_that_is_put_off",
            ),
            models.Index(fields=["organisation", "-opened_at"], name="case_of_organisation"),
            models.Index(fields=["kind", "-closed_at"], name="case_of_kind"),
            models.Index(fields=["gift"], condition=~Q(gift=""), name="case_of_gift"),
            models.Index(fields=["subject"], name="case_of_subject"),
            models.Index(
                fields=["-closed_at", "-id"],
                condition=Q(closed_at__isnull=False),
                name="case_decided_last",
            ),
            models.Index(
                fields=["opened_at", "id"],
                condition=Q(closed_at__isnull=True),
                name="case_open_for_longest",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(closed_at__isnull=True),
                name="one_open_case_a_subject",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, reason="", choice="")
                | Q(closed_at__isnull=False) & ~Q(reason="") & (BY_A_PERSON | Q(choice=OVERTAKEN)),
                name="case_is_closed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True, currency="")
                | Q(amount__gt=0, amount__lt=2**53, currency__regex=r"^[A-Z]{3}$"),
                name="case_is_about_money_of_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(people_needed__in=[1, 2]), name="case_needs_one_person_or_two"
            ),
        ]

    def __str__(self) -> str:
        """Say what it is about."""
        return f"{self.get_kind_display()}: {self.subject}"


class Decision(models.Model):
    """
    What one person decided in a case, and why: a line that stays as it was written.

    Where two are needed the first is a proposal, and the final one `confirms` it, by somebody else
    and with the same choice. A round of a case has one final decision.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("dec"), editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions")
    round = models.PositiveSmallIntegerField()
    choice = models.CharField(max_length=20)
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    is_final = models.BooleanField()
    confirms = models.OneToOneField("self", models.PROTECT, null=True, related_name="confirmed_by")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "round"], condition=Q(is_final=True), name="case_is_decided_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_a_reason"),
            models.CheckConstraint(
                condition=Q(is_final=True) | Q(confirms__isnull=True),
                name="proposal_confirms_nothing",
            ),
        ]

    def __str__(self) -> str:
        """Say what was decided."""
        return f"{self.choice} ({'decided' if self.is_final else 'proposed'})"


class Note(models.Model):
    """One line of what happened to a case between its opening and its end; it stays as it is."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened"
        TAKEN = "taken", "taken"
        HANDED_OVER = "handed_over", "handed over"
        PUT_BACK = "put_back", "put back"
        COMMENT = "comment", "said"
        SNOOZED = "snoozed", "put off"
        PROPOSED = "proposed", "proposed"
        DECIDED = "decided", "decided"
        OVERTAKEN = "overtaken", "overtaken by events"
        REOPENED = "reopened", "opened again"
        MORE = "more", "more was found"
        WAITS = "waits", "payouts wait from now on"

    case = models.ForeignKey(Case, models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=12, choices=Kind)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    to = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    text = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["case", "id"], name="note_of_case")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="handed_over", to__isnull=False)
                | ~Q(kind="handed_over") & Q(to__isnull=True),
                name="note_hands_over_to_somebody",
            ),
        ]

    def __str__(self) -> str:
        """Say what happened."""
        return self.get_kind_display()
