"""Keys by which programs act for an organisation."""

import secrets
from hashlib import sha256
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from organisations.errors import (
    KeyRevoked,
)
from organisations.models import ApiKey, Organisation

KEY_BYTES = 32
PREFIX_LENGTH = 16


class IssuedKey(NamedTuple):
    """A new key and its secret, which is shown now and never again."""

    key: ApiKey
    secret: str


def issue_api_key(
    *, organisation: Organisation, application: str, name: str, scopes: list[str], livemode: bool
) -> IssuedKey:
    """Make a key for one application of an organisation; its secret is returned this once."""
    secret = f"sk_{'live' if livemode else 'test'}_{secrets.token_urlsafe(KEY_BYTES)}"
    key = ApiKey.objects.create(
        organisation=organisation,
        application=application,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=hash_secret(secret),
        scopes=scopes,
    )
    return IssuedKey(key, secret)


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> ApiKey:
    """End a key, at once and for ever. Raises `KeyRevoked`."""
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.revoked_at:
        raise KeyRevoked
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    return key


def hash_secret(secret: str) -> str:
    """Return what is kept of a key's secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
