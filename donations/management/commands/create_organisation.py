"""Set up an organisation without clicking: the operator's way in."""

import json
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from common.errors import DomainError
from common.money import CURRENCIES
from donations.services.promises import create_sandbox_account
from organisations.models import SLUG, ApiKey, Organisation
from organisations.services import applications, keys, tenants

COUNTRY = re.compile(r"[A-Z]{2}\Z")
ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,60}\Z")
KEYS = {"api_key": ("donations", "donations"), "credits_api_key": ("credits", "ledger")}


class Command(BaseCommand):
    """Prints one JSON object: `id, slug, stripe_account, api_key, credits_api_key`."""

    help = "Create an organisation and print one JSON object about it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what an application says, and what the operator decides at once."""
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", required=True, help="Its part of every URL: a-z, 0-9, -.")
        parser.add_argument("--country", required=True, help="ISO 3166-1: BE")
        parser.add_argument("--currency", required=True, help="ISO 4217: EUR")
        parser.add_argument("--stripe-account", help="The connected account: acct_…")
        parser.add_argument("--approve", action="store_true", help="Make it public at once.")
        parser.add_argument("--with-api-key", action="store_true", help="Print new API keys.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it, wholly or not at all."""
        fields = {name: options[name] for name in ("name", "slug", "country", "currency")}
        check(fields, options["stripe_account"])
        try:
            fields["stripe_account"] = options["stripe_account"] or open_account(fields)
            created = create(fields, options["approve"], options["with_api_key"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(created))


def check(fields: dict[str, Any], account: str | None) -> None:
    """Raise `CommandError` for what cannot be, before anything is made anywhere."""
    name, slug = fields["name"], fields["slug"]
    if not SLUG.match(slug):
        raise CommandError(f"{slug!r} is no slug: use a-z, 0-9 and single hyphens.")
    if not COUNTRY.match(fields["country"]):
        raise CommandError(f"{fields['country']!r} is no ISO 3166-1 code: use one such as BE.")
    if fields["currency"] not in CURRENCIES:
        raise CommandError(f"{fields['currency']!r} is no ISO 4217 code: use one such as EUR.")
    if account and not ACCOUNT.match(account):
        raise CommandError(f"{account!r} is no connected account of Stripe: those begin acct_.")
    if Organisation.objects.filter(slug=slug).exists():
        raise CommandError(f"An organisation has the slug {slug!r} already: choose another.")
    try:
        Organisation(name=name, slug=slug).clean_fields(exclude=["country", "currency"])
    except ValidationError as error:
        reasons = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
        raise CommandError(" ".join(reasons)) from error


def open_account(fields: dict[str, Any]) -> str | None:
    """Return a new account at the sandbox, where there is one; elsewhere organisations connect."""
    if not (settings.USES_STRIPE_SANDBOX and settings.STRIPE_API_BASE):
        return None
    named = {field: fields[field] for field in ("country", "currency", "name")}
    return create_sandbox_account(**named)


@transaction.atomic
def create(fields: dict[str, Any], is_approved: bool, has_keys: bool) -> dict[str, Any]:
    """Return what the command prints. Raises `DomainError`."""
    organisation = tenants.create_organisation(**fields)
    if is_approved:
        reason = "Set up and approved by the operator."
        tenants.approve(organisation=organisation, decided_by=None, reason=reason)
    else:
        applications.put_before_staff(organisation=organisation)
    printed = {name: getattr(organisation, name) for name in ("id", "slug", "stripe_account")}
    keys = {name: issue(organisation, *of) if has_keys else None for name, of in KEYS.items()}
    return printed | keys


def issue(organisation: Organisation, application: str, scope: str) -> str:
    """Return the secret of a new key."""
    issued = keys.issue_api_key(
        organisation=organisation,
        application=application,
        name="From the command line",
        scopes=[ApiKey.Scope(scope)],
        livemode=settings.STRIPE_LIVEMODE,
    )
    return issued.secret
