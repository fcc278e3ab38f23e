"""The pages about gifts, and the public book that they end in."""

from django.urls import path

from donations.views import books, console, giving, journeys, refunds

GIFT = "donations/<slug:donation_id>"
GIFTS = "dashboard/<slug:slug>/gifts"

urlpatterns = [
    path("o/<slug:slug>/ledger", books.ledger, name="ledger"),
    path("o/<slug:slug>/ledger/<int:sequence>", books.entry, name="entry"),
    path("o/<slug:slug>/ledger/<int:sequence>/qr.svg", books.entry_code, name="entry-code"),
    path(
        "o/<slug:slug>/ledger/accounts/<str:currency>/<str:name>",
        books.account,
        name="account",
    ),
    path("o/<slug:slug>/donate", giving.donate, name="donate"),
    path("donations/<slug:donation_id>", journeys.donation_detail, name="donation-detail"),
    path(
        "donations/<slug:donation_id>/opening", journeys.donation_opening, name="donation-opening"
    ),
    path("donations/<slug:donation_id>/erase", journeys.donation_erase, name="donation-erase"),
    path("dashboard/<slug:slug>", console.overview, name="console"),
    path(GIFTS, console.gifts, name="gifts"),
    path(f"{GIFTS}/find", console.find, name="find-gift"),
    path(f"{GIFTS}/<slug:donation_id>", console.gift, name="gift"),
    path(f"{GIFTS}/<slug:donation_id>/refund", refunds.refund, name="gift-refund"),
]
