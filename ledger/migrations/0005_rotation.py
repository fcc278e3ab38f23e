"""What a rotation of a book's signing key must say."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the guard (docs/decisions/0014)."""

    dependencies = [("ledger", "0004_log")]

    operations = [run_sql("ledger", "rotation_v1")]
