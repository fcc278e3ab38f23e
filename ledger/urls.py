"""The pages about verifying and witnesses, and the public logs (C2SP tlog-tiles)."""

from django.urls import path

from ledger import views

LOG = "log/<slug:organisation_id>"
HEADS = "log/heads"

urlpatterns = [
    path("verify", views.verify, name="verify"),
    path("verify/offline", views.verify_offline, name="verify-offline"),
    path("witnesses", views.witnesses, name="witnesses"),
    path("witnesses/policy", views.policy_file, name="witness-policy"),
    # Before the books' logs: no organisation's id is `heads`.
    path(f"{HEADS}/checkpoint", views.heads_checkpoint, name="heads-checkpoint"),
    path(f"{HEADS}/tile/<path:tile>", views.heads_tile, name="heads-tile"),
    path(f"{HEADS}/proof", views.heads_proof, name="heads-proof"),
    path(f"{HEADS}/checkpoints/<int:size>", views.heads_note, name="heads-note"),
    path(f"{HEADS}/checkpoints/<int:size>.tsr", views.heads_timestamp, name="heads-timestamp"),
    path(f"{LOG}/checkpoint", views.log_checkpoint, name="log-checkpoint"),
    path(f"{LOG}/tile/<path:tile>", views.log_tile, name="log-tile"),
]
