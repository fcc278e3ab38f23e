"""What donors read on their cards' statements."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add what Stripe says of it, once it was read."""

    dependencies = [("organisations", "0002_mail")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="statement_descriptor",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
    ]
