"""The page about verifying."""

from django.urls import path

from ledger import views

urlpatterns = [path("verify", views.verify, name="verify")]
