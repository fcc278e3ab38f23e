"""What `organisations` does after a migration: it keeps the staff's groups."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from organisations.services.staff_groups import keep_groups


@receiver(post_migrate)
def keep_staff_groups(sender: AppConfig, using: str, **_kwargs: Any) -> None:
    """Give groups the permissions of the app that was just migrated; Django has made them."""
    keep_groups(app=sender.label, using=using)
