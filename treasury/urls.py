"""The pages about organisations and their money."""

from django.urls import path

from treasury import views

urlpatterns = [
    path("", views.home, name="home"),
    path("organisations", views.organisation_list, name="organisation-list"),
    path("o/<slug:slug>", views.organisation_detail, name="organisation-detail"),
    path("o/<slug:slug>/payouts", views.payout_list, name="payout-list"),
    path("o/<slug:slug>/payouts/<slug:payout>", views.payout_detail, name="payout"),
    path("dashboard/<slug:slug>/payouts", views.console_payouts, name="console-payouts"),
]
