"""The people who sign in."""

from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Upper

from common.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, email: str | None) -> "User":
        """Return the person who signs in with this address."""
        return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who can sign in."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(force_insert=True, using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who may do everything that the admin offers."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: staff of this site, or a member of organisations."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id("usr"), editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            # Its index is also the one by which `email__iexact` finds people.
            models.UniqueConstraint(
                Upper("email"),
                name="person_is_one_address",
                violation_error_message="Somebody signs in with this e-mail address already.",
            ),
        ]

    def __str__(self) -> str:
        """Name the person."""
        return self.name or self.email

    def has_second_factor(self) -> bool:
        """Tell whether a password alone does not sign this person in; a passkey counts."""
        types = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        return bool(Authenticator.objects.filter(user=self, type__in=types).exists())
