"""Where an account's payouts go, and whether the platform times them; a name for staff."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add what Stripe says of it; it is read with the next look at the account."""

    dependencies = [("organisations", "0005_one_address")]

    operations = [
        migrations.AddField(
            model_name="stripeaccountstate",
            name="country",
            field=models.CharField(blank=True, db_default="", max_length=2),
        ),
        migrations.AddField(
            model_name="stripeaccountstate",
            name="controls_payouts",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="stripeaccountstate",
            name="payout_interval",
            field=models.CharField(blank=True, db_default="", max_length=20),
        ),
        migrations.AddField(
            model_name="stripeaccountstate",
            name="bank_accounts",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="stripeaccountstate",
            name="bank_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterModelOptions(name="apikey", options={"verbose_name": "API key"}),
    ]
