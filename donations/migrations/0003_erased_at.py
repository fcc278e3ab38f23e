"""Who gave can be erased."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Add when that happened; then nothing personal is left."""

    dependencies = [("donations", "0002_donation_owner_id")]

    operations = [
        migrations.AlterModelOptions(
            name="donation", options={"permissions": [("erase_donor", "Can erase who gave")]}
        ),
        migrations.AddField(
            model_name="donation",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="donation",
            constraint=models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(donor_email="", donor_name="", public_name="", owner_id=""),
                name="donation_erased_names_nobody",
            ),
        ),
    ]
