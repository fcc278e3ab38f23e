"""Two people decide what moves or frees much money; one closes what changes nothing."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Count the people of a decision by what it does."""

    dependencies = [("reviews", "0010_put_off")]

    operations = [run_sql("reviews", "decisions_v2")]
