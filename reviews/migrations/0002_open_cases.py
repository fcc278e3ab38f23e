"""A book that does not verify is a case, and comes up again after its case was closed."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Let only open cases be one a subject."""

    dependencies = [("reviews", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="case",
            name="kind",
            field=models.CharField(
                choices=[
                    ("unclassified", "Unclassified transaction"),
                    ("unbooked", "Transaction that cannot be booked"),
                    ("mismatch", "Gift and charge differ"),
                    ("parked_event", "Parked event"),
                    ("audit", "Book that does not verify"),
                ],
                max_length=20,
            ),
        ),
        migrations.RemoveConstraint(model_name="case", name="one_case_a_subject"),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=Q(closed_at__isnull=True),
                fields=("kind", "subject"),
                name="one_open_case_a_subject",
            ),
        ),
    ]
