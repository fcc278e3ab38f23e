"""
URLs of the API, below /v1/.

An owner's id may be any text: also one with a slash, and one that ends like the URL of a history.
So `…/entries` at the end always means the history, and each question can also be asked with
`?owner_id=`, which reaches every owner.
"""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from credits.api import views


class OwnerConverter(StringConverter):
    """Any text, slashes and line ends too."""

    regex = r"[\s\S]+"


register_converter(OwnerConverter, "owner")

urlpatterns = [
    path("ledger", views.Operations.as_view(), name="api-operation-list"),
    path("ledger-entries", views.OwnerEntriesByQuery.as_view(), name="api-owner-entries-query"),
    path("ledger/<owner:owner_id>/entries", views.OwnerEntries.as_view(), name="api-owner-entries"),
    path("ledger/<owner:owner_id>", views.OwnerBalance.as_view(), name="api-owner"),
]
