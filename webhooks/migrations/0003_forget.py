"""Events forget who paid once they were acted on."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the function that takes persons out of an event."""

    dependencies = [("webhooks", "0002_inbox")]

    operations = [run_sql("webhooks", "forget_v1")]
