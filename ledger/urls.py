"""The page about verifying, and the public logs (C2SP tlog-tiles)."""

from django.urls import path

from ledger import views

LOG = "log/<slug:organisation_id>"

urlpatterns = [
    path("verify", views.verify, name="verify"),
    path(f"{LOG}/checkpoint", views.log_checkpoint, name="log-checkpoint"),
    path(f"{LOG}/tile/<path:tile>", views.log_tile, name="log-tile"),
]
