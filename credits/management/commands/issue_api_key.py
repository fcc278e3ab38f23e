"""Issue a key for one of an organisation's applications."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from credits.services import application_named, applications
from organisations.models import ApiKey, Organisation
from organisations.services.keys import issue_api_key


class Command(BaseCommand):
    """Prints one JSON object: `organisation, application, scope, api_key`."""

    help = "Issue an API key and print one JSON object about it. The key is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose key it is, and what it opens."""
        parser.add_argument("--organisation", required=True, help="A slug or an id.")
        parser.add_argument("--application", required=True, help="Gifts and refunds: donations.")
        parser.add_argument("--scope", required=True, choices=ApiKey.Scope.values)

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the key."""
        name = options["organisation"]
        organisation = Organisation.objects.known_as(name).first()
        if organisation is None:
            raise CommandError(f"No organisation has the slug or id {name!r}.")
        check(options["application"], options["scope"])
        issued = issue_api_key(
            organisation=organisation,
            application=options["application"],
            name="From the command line",
            scopes=[options["scope"]],
            livemode=settings.STRIPE_LIVEMODE,
        )
        told = {"organisation": organisation.id, "application": issued.key.application}
        self.stdout.write(json.dumps(told | {"scope": options["scope"], "api_key": issued.secret}))


def check(application: str, scope: str) -> None:
    """Raise `CommandError` for a key that would open nothing."""
    if scope != ApiKey.Scope.LEDGER:
        if application != ApiKey.Scope.DONATIONS:
            raise CommandError(
                "A key for gifts, refunds or webhooks belongs to the application donations."
            )
        return
    try:
        application_named(application)
    except DomainError as error:
        known = ", ".join(each.book for each in applications())
        raise CommandError(f"{error} There are: {known}.") from error
