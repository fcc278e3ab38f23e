"""An e-mail address is one person's, whatever its case."""

from django.db import migrations, models
from django.db.models.functions import Upper

from common.sql import run_sql


class Migration(migrations.Migration):
    """Say who stands in the way, then let the database keep the rule."""

    dependencies = [("organisations", "0004_onboarding")]

    operations = [
        run_sql("organisations", "one_address_v1"),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                Upper("email"),
                name="person_is_one_address",
                violation_error_message="Somebody signs in with this e-mail address already.",
            ),
        ),
    ]
