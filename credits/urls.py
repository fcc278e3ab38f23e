"""The members' pages about credits."""

from django.urls import path

from credits import views

CREDITS = "dashboard/<slug:slug>/credits"

urlpatterns = [
    path(CREDITS, views.overview, name="credits"),
    path("dashboard/<slug:slug>/grant-rules", views.set_rule, name="grant-rules"),
    path(f"{CREDITS}/<slug:application>", views.owners, name="credit-owners"),
    path(f"{CREDITS}/<slug:application>/find", views.find, name="find-credit-owner"),
    path(f"{CREDITS}/<slug:application>/owners/<slug:handle>", views.owner, name="credit-owner"),
]
