"""Walk the whole path of money against Stripe's test mode: docs/stripe-smoke.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from stripe import StripeError

from common.errors import DomainError
from webhooks.management.commands.sweep_stripe import connected
from webhooks.smoke import Walk

TEST_KEYS = ("sk_test_", "rk_test_")
WAIT_SECONDS = 90.0


class Command(BaseCommand):
    """Prints a line for each step; ends with an error at the first one that fails."""

    help = (
        "Give, refund, dispute and pay out on one organisation's account in Stripe's test mode, "
        "and check that the ledger says so to the cent. Refuses live keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose account it is."""
        parser.add_argument("--organisation", required=True, help="A slug or an id.")
        parser.add_argument(
            "--wait", type=float, default=WAIT_SECONDS, help="Seconds that a step may take."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the steps in turn."""
        if not settings.STRIPE_SECRET_KEY.startswith(TEST_KEYS):
            raise CommandError("This moves money: set STRIPE_SECRET_KEY to a key of the test mode.")
        [organisation] = connected(options["organisation"])
        for name, step in Walk(organisation, wait_seconds=options["wait"]).steps():
            try:
                seen = step()
            except (DomainError, StripeError) as error:
                raise CommandError(f"{name}: {error}") from error
            self.stdout.write(f"ok  {name}: {seen}")
        self.stdout.write("What is left to try by hand stands in docs/stripe-smoke.md.")
