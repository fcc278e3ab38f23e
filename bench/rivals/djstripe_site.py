"""A site with dj-stripe's webhook endpoint and nothing else; `python -m` prepares its database."""

# It runs in the rivals' environment, whose packages mypy does not see.
# mypy: ignore-errors
import os
import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bench.rivals.loop import database

ENDPOINT = "we_bench"

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            **database(os.environ["RIVAL_DATABASE_URL"]),
            "CONN_MAX_AGE": None,  # else each request would connect anew
        }
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "djstripe",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF="djstripe.urls",
    SECRET_KEY=os.urandom(16).hex(),
    STRIPE_TEST_SECRET_KEY=os.environ["STRIPE_SECRET_KEY"],
    STRIPE_LIVE_MODE=False,
    STRIPE_API_HOST=os.environ["STRIPE_API_BASE"],
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    USE_TZ=True,
    # With a callback, dj-stripe verifies and stores; the application works from the row later.
    # Without one, it also makes its event of it, and handles it, before it answers.
    DJSTRIPE_WEBHOOK_EVENT_CALLBACK=(
        (lambda trigger, **_: None) if os.environ.get("RIVAL_MODE") == "later" else None
    ),
)


def prepare(secret: str) -> str:
    """Make the tables and the endpoint; return the endpoint's name in its URL."""
    from django.core.management import call_command
    from djstripe.models import WebhookEndpoint, WebhookEventTrigger

    call_command("migrate", verbosity=0)
    WebhookEventTrigger.objects.all().delete()
    WebhookEndpoint.objects.all().delete()
    endpoint = WebhookEndpoint.objects.create(
        id=ENDPOINT,
        livemode=False,
        secret=secret,
        enabled_events=["*"],
        status="enabled",
        url="http://127.0.0.1/",
    )
    return str(endpoint.djstripe_uuid)


if __name__ == "__main__":
    django.setup()
    print(prepare(sys.argv[1]))
else:
    application = get_wsgi_application()
