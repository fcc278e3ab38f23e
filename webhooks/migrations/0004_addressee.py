"""Applicants hear of their own Stripe account before staff decide on them."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Replace the functions that find an event's organisation and store it."""

    dependencies = [("webhooks", "0003_forget")]

    operations = [run_sql("webhooks", "addressee_v2")]
