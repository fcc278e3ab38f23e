"""API keys: `Authorization: Bearer sk_…`."""

import re
from typing import Any

from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from organisations.models import ApiKey
from organisations.services.keys import PREFIX_LENGTH, hash_secret

BEARER = re.compile(r"bearer +(sk_(?:live|test)_[A-Za-z0-9_-]{43})\Z", re.ASCII | re.IGNORECASE)


class Program:
    """Who calls when a key calls: no person."""

    is_authenticated = True


class ApiKeyAuthentication(BaseAuthentication):
    """Lets the holder of a key act for its organisation; `request.auth` is the `ApiKey`."""

    def authenticate(self, request: Request) -> tuple[Program, ApiKey] | None:
        """Return the key that the header carries. Raises `AuthenticationFailed`."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        match = BEARER.match(header)
        key = match and self._find(match[1])
        if key is None:
            raise AuthenticationFailed(
                "This is no valid API key: send `Authorization: Bearer sk_…`."
            )
        return Program(), key

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return 'Bearer realm="almoner"'

    def _find(self, secret: str) -> ApiKey | None:
        keys = ApiKey.objects.select_related("organisation").filter(revoked_at=None)
        key = keys.filter(prefix=secret[:PREFIX_LENGTH]).first()
        if key is not None and constant_time_compare(key.secret_hash, hash_secret(secret)):
            return key
        return None


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names keys."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe a bearer key."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sk_…"}
