"""A witness that has seen another ledger is a case."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Name the new kind of case."""

    dependencies = [("reviews", "0004_timestamp")]

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
                    ("sealing", "Log that is not sealed any further"),
                    ("timestamp", "Time stamp that did not come"),
                    ("witness", "Log of which a witness saw another"),
                ],
                max_length=20,
            ),
        ),
    ]
