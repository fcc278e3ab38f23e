"""Read again what webhooks may have missed: events, and what moved on the balances."""

import json
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from organisations.models import Organisation
from treasury.services.sweeping import plan_opening, sweep
from webhooks.services.backfilling import backfill


class Command(BaseCommand):
    """Prints one JSON object a line: `organisation, events, booked`, or `organisation, error`."""

    help = (
        "Ask Stripe for the events and the balance transactions of the connected accounts, and "
        "book what is missing. What is there already stays as it is, however often this runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which accounts, and from when on."""
        parser.add_argument("--organisation", help="A slug or an id; left out, all of them.")
        parser.add_argument("--since", type=day, help="Sweep from this day on: 2026-01-31.")
        parser.add_argument(
            "--opening-on",
            type=day,
            help="Before anything is booked: begin the book on this day, with what the balance "
            "was then, in place of the account's whole history.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, one account after the other."""
        if options["opening_on"] and not options["organisation"]:
            raise CommandError("--opening-on is for one account: add --organisation.")
        failures = 0
        for organisation in connected(options["organisation"]):
            told: dict[str, Any]
            try:
                told = caught_up(organisation, options["since"], options["opening_on"])
            except DomainError as error:
                failures += 1
                told = {"error": str(error)}
            self.stdout.write(json.dumps({"organisation": organisation.slug, **told}))
        if failures:
            raise CommandError(f"{failures} of them could not be swept. Run it again later.")


def day(text: str) -> datetime:
    """Return the beginning of a day, in UTC."""
    return datetime.combine(date.fromisoformat(text), time(), UTC)


def connected(name: str | None) -> list[Organisation]:
    """Return the organisations with an account, or the one of this name. Raises `CommandError`."""
    organisations = Organisation.objects.public().readable()
    if name is None:
        return list(organisations.order_by("slug"))
    found = list(organisations.known_as(name))
    if not found:
        raise CommandError(
            f"No approved organisation with a Stripe account has the slug or id {name!r}."
        )
    return found


def caught_up(
    organisation: Organisation, since: datetime | None, opening_on: datetime | None
) -> dict[str, int]:
    """Ask for events, sweep, and return how much was new."""
    if opening_on:
        plan_opening(organisation=organisation, opened_at=opening_on)
    events = backfill(organisation=organisation)
    return {"events": events, "booked": sweep(organisation=organisation, since=since)}
