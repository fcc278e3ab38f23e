"""What ties a request of the API to its tenant."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from organisations.api.authentication import ApiKeyAuthentication
from organisations.models import ApiKey, Organisation

if TYPE_CHECKING:
    Mixin = APIView
else:
    Mixin = object


class HasScope(BasePermission):
    """Lets in keys that have the scope of the view."""

    message = "This API key does not have the scope that is asked for here."
    code = "scope_missing"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Look into the key."""
        assert isinstance(view, OrganisationScoped)
        return isinstance(request.auth, ApiKey) and view.scope in request.auth.scopes


class OrganisationScoped(Mixin):
    """A view of what one organisation has, for its keys; what others have is a 404."""

    scope: ClassVar[ApiKey.Scope]
    authentication_classes = [ApiKeyAuthentication]
    permission_classes: Sequence[Any] = [IsAuthenticated, HasScope]

    @property
    def organisation(self) -> Organisation:
        """Return the tenant whose key calls."""
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.organisation


class OrganisationPublic(Mixin):
    """A view of what everybody may see of the organisation in the URL: its id or slug."""

    authentication_classes = []
    permission_classes: Sequence[Any] = [AllowAny]

    @cached_property
    def organisation(self) -> Organisation:
        """Return the approved organisation of the URL; any other is a 404."""
        return get_object_or_404(
            Organisation.objects.public().known_as(self.kwargs["organisation"])
        )
