"""An erased gift keeps no hash of the request that named its donor."""

from django.db import migrations, models
from django.db.models import Q

ERASED = "UPDATE donations_donation SET request_hash = '' WHERE erased_at IS NOT NULL"


class Migration(migrations.Migration):
    """Empty those that are there, and let the database keep it so."""

    dependencies = [("donations", "0007_payout")]

    operations = [
        migrations.RemoveConstraint(model_name="donation", name="donation_erased_names_nobody"),
        migrations.RunSQL(ERASED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="donation",
            constraint=models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(donor_email="", donor_name="", public_name="", owner_id="", request_hash=""),
                name="donation_erased_names_nobody",
            ),
        ),
    ]
