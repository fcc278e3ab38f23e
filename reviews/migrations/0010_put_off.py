"""An index for the cases that are put off, the most urgent first: they are few among many."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Add it."""

    dependencies = [("reviews", "0009_figures")]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["due_at", "opened_at"],
                condition=Q(closed_at__isnull=True, snoozed_until__isnull=False),
                name="case_that_is_put_off",
            ),
        ),
    ]
