"""The inbox's way into the database: one round trip a message."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Functions that find an event's organisation and store it."""

    dependencies = [("webhooks", "0001_initial")]

    operations = [run_sql("webhooks", "inbox_v1")]
