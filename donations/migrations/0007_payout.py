"""A gift knows the payout that its money is in."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Add which one, and when it arrived at the bank."""

    dependencies = [("donations", "0006_refunds")]

    operations = [
        migrations.AddField(
            model_name="donation",
            name="payout",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=255
            ),
        ),
        migrations.AddField(
            model_name="donation",
            name="payout_arrived_on",
            field=models.DateField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="donation",
            constraint=models.CheckConstraint(
                condition=Q(payout_arrived_on__isnull=True) | ~Q(payout=""),
                name="donation_arrived_in_a_payout",
            ),
        ),
    ]
