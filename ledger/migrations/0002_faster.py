"""The same guarantees at half the price for each entry (docs/decisions/0008)."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Swap functions, checks and triggers for faster ones; keep when a book was last written."""

    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                run_sql("ledger", "line_v2"),
                run_sql("ledger", "tables_v2"),
                run_sql("ledger", "guards_v2"),
                run_sql("ledger", "begin_v1"),
                run_sql("ledger", "statistics_v1"),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="book",
                    name="recorded_at",
                    field=models.DateTimeField(editable=False, null=True),
                ),
            ],
        ),
    ]
