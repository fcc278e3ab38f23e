"""Ways to what the figures of the desk count, to what was decided last, and to a case's subject."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Add the indexes."""

    dependencies = [("reviews", "0008_sanctions")]

    operations = [
        migrations.AddIndex("case", models.Index(fields=["subject"], name="case_of_subject")),
        migrations.AddIndex(
            "case",
            models.Index(
                fields=["-closed_at", "-id"],
                condition=Q(closed_at__isnull=False),
                name="case_decided_last",
            ),
        ),
        migrations.AddIndex(
            "case",
            models.Index(
                fields=["opened_at", "id"],
                condition=Q(closed_at__isnull=True),
                name="case_open_for_longest",
            ),
        ),
        migrations.AddIndex(
            "case",
            models.Index(
                fields=["due_at", "opened_at"],
                condition=Q(closed_at__isnull=True, snoozed_until__isnull=False),
                name="case_that_is_put_off",
            ),
        ),
        migrations.AddIndex(
            "hold", models.Index(fields=["opened_at"], name="hold_by_its_beginning")
        ),
        migrations.AddIndex(
            "hold",
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False),
                name="hold_by_its_end",
            ),
        ),
        migrations.AddIndex(
            "screening",
            models.Index(
                fields=["at"],
                condition=Q(results__contains=[{"mode": "shadow", "outcome": "hit"}]),
                name="screening_hit_in_shadow",
            ),
        ),
    ]
