"""URLs of the API, below /v1/."""

from django.urls import path

from ledger.api import views

ORGANISATION = "public/organisations/<slug:organisation>"
LEDGER = f"{ORGANISATION}/ledger"

urlpatterns = [
    path("public/heads", views.Heads.as_view(), name="api-heads"),
    path(LEDGER, views.EntryList.as_view(), name="api-entry-list"),
    path(f"{LEDGER}/entries/<int:sequence>", views.EntryDetail.as_view(), name="api-entry"),
    path(
        f"{LEDGER}/entries/<int:sequence>/proof", views.EntryProof.as_view(), name="api-entry-proof"
    ),
    path(f"{LEDGER}/head", views.Head.as_view(), name="api-ledger-head"),
    path(f"{LEDGER}/export", views.Export.as_view(), name="api-ledger-export"),
    path(f"{ORGANISATION}/balances", views.Balances.as_view(), name="api-balances"),
    path(
        f"{ORGANISATION}/accounts/<str:account>/entries",
        views.Statement.as_view(),
        name="api-statement",
    ),
]
