"""The admin as a place to look and to decide: nothing is edited in it."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

ModelType = TypeVar("ModelType", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[ModelType]):
    """Lists and shows rows; adds, changes and deletes none."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Refuse: rows come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: rows change by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: rows stay."""
        return False
