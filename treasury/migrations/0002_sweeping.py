"""How far each account was swept, and where its book begins."""

from django.db import migrations, models

# Accounts that were read are not imported again: what they may have missed, a sweep finds.
KNOWN = """
    UPDATE treasury_stripereading SET swept_until = read_at, imported_at = read_at
    WHERE read_at IS NOT NULL
"""


class Migration(migrations.Migration):
    """Add the cursor of sweeps."""

    dependencies = [("treasury", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="stripereading",
            options={"permissions": [("sweep_account", "Can have accounts swept")]},
        ),
        migrations.AddField("stripereading", "opened_at", models.DateTimeField(null=True)),
        migrations.AddField("stripereading", "swept_until", models.DateTimeField(null=True)),
        migrations.AddField("stripereading", "imported_at", models.DateTimeField(null=True)),
        migrations.AddField("stripereading", "compared_at", models.DateTimeField(null=True)),
        migrations.AddField("stripereading", "is_refused", models.BooleanField(default=False)),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
