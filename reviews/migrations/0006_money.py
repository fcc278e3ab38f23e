"""Money that is in danger, or does not arrive, is a case."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Name the new kinds of case."""

    dependencies = [("reviews", "0005_witnesses")]

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
                    ("drift", "Ledger that differs from the Stripe balance"),
                    ("fraud_warning", "Early fraud warning"),
                    ("payout", "Payout that failed"),
                    ("subscriber", "Webhook that cannot be delivered"),
                ],
                max_length=20,
            ),
        ),
    ]
