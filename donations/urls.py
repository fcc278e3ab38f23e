"""The pages about gifts, and the public book that they end in."""

from django.urls import path

from donations import views

urlpatterns = [
    path("o/<slug:slug>/ledger", views.ledger, name="ledger"),
    path("o/<slug:slug>/ledger/<int:sequence>", views.entry, name="entry"),
    path("o/<slug:slug>/ledger/<int:sequence>/qr.svg", views.entry_code, name="entry-code"),
    path(
        "o/<slug:slug>/ledger/accounts/<str:currency>/<str:name>",
        views.account,
        name="account",
    ),
    path("o/<slug:slug>/donate", views.donate, name="donate"),
    path("donations/<slug:donation_id>", views.donation_detail, name="donation-detail"),
    path("donations/<slug:donation_id>/opening", views.donation_opening, name="donation-opening"),
    path("donations/<slug:donation_id>/erase", views.donation_erase, name="donation-erase"),
]
