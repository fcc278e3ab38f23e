"""The pages about gifts, and the public book that they end in."""

from django.urls import path

from donations.views import books, console, giving, journeys, refunds, terms, visits

GIFT = "donations/<slug:donation_id>"
GIFTS = "dashboard/<slug:slug>/gifts"
GIVING = "dashboard/<slug:slug>/giving"
REPEATED = "me/gifts/<slug:recurring_id>"

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
    path(GIVING, terms.giving, name="giving"),
    path(f"{GIVING}/terms", terms.set_giving, name="giving-terms"),
    path(f"{GIVING}/remove", terms.remove_giving, name="giving-remove"),
    path("me", visits.me, name="me"),
    path("me/open", visits.open_link, name="me-open"),
    path("me/close", visits.close, name="me-close"),
    path(f"{REPEATED}/pause", visits.pause, name="recurring-pause"),
    path(f"{REPEATED}/resume", visits.resume, name="recurring-resume"),
    path(f"{REPEATED}/amount", visits.amount, name="recurring-amount"),
    path(f"{REPEATED}/cancel", visits.cancel, name="recurring-cancel"),
    path(f"{REPEATED}/mend", visits.mend, name="recurring-mend"),
    path("dashboard/<slug:slug>", console.overview, name="console"),
    path(GIFTS, console.gifts, name="gifts"),
    path(f"{GIFTS}/find", console.find, name="find-gift"),
    path(f"{GIFTS}/<slug:donation_id>", console.gift, name="gift"),
    path(f"{GIFTS}/<slug:donation_id>/refund", refunds.refund, name="gift-refund"),
]
