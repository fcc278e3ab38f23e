"""What rules hit is counted from the index alone: a hundred thousand rows need not be opened."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Put what is counted into the index of screenings that hit."""

    dependencies = [("reviews", "0011_two_people")]

    operations = [
        migrations.RemoveIndex("screening", "screening_that_hit"),
        migrations.AddIndex(
            "screening",
            models.Index(
                fields=["at"],
                include=["organisation", "subject", "hits"],
                condition=~Q(hits=[]),
                name="screening_that_hit",
            ),
        ),
    ]
