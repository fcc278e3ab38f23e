"""Gifts can be held, and their settlement is screened."""

from django.db import migrations, models
from django.db.models import Q

STATUSES = [
    ("pending", "Pending"),
    ("paid", "Paid"),
    ("settled", "Settled"),
    ("held", "Held"),
    ("partially_refunded", "Partially Refunded"),
    ("refunded", "Refunded"),
    ("disputed", "Disputed"),
    ("failed", "Failed"),
    ("expired", "Expired"),
    ("canceled", "Canceled"),
]
REASONS = [
    ("requested_by_customer", "The donor asked for it"),
    ("duplicate", "The gift was made twice"),
    ("fraudulent", "The owner of the card did not make it"),
    ("not_accepted", "A review did not accept the gift"),
]


class Migration(migrations.Migration):
    """Gifts that are there count as screened."""

    dependencies = [("donations", "0008_erased_requests"), ("reviews", "0007_decisions")]

    operations = [
        migrations.AddField(
            "donation",
            "authorise_only",
            models.BooleanField(default=False, db_default=False, editable=False),
        ),
        migrations.AddField(
            "donation",
            "review_due",
            models.BooleanField(default=False, db_default=False, editable=False),
        ),
        migrations.AddField(
            "donation",
            "held_as",
            models.CharField(max_length=7, blank=True, db_default="", editable=False),
        ),
        migrations.AddField(
            "donation",
            "screening_due",
            models.BooleanField(default=False, db_default=False, editable=False),
        ),
        migrations.AlterField(
            "donation",
            "status",
            models.CharField(max_length=20, choices=STATUSES, default="pending"),
        ),
        migrations.AlterField(
            "donation",
            "ended_as",
            models.CharField(max_length=20, choices=STATUSES, blank=True, editable=False),
        ),
        migrations.AlterField(
            "refundrequest", "reason", models.CharField(max_length=30, choices=REASONS)
        ),
        migrations.AddIndex(
            "donation",
            models.Index(
                fields=["settled_at"], condition=Q(screening_due=True), name="donation_to_screen"
            ),
        ),
        migrations.RemoveConstraint("donation", "donation_status_fits_its_ledger"),
        migrations.AddConstraint(
            "donation",
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid", "failed", "expired", "canceled"])
                | Q(status="held", held_as="capture")
                | Q(sequence__isnull=False),
                name="donation_status_fits_its_ledger",
            ),
        ),
    ]
