"""Staff at their desks."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from organisations.models import User
from tests.factories import UserFactory


@pytest.fixture
def superuser(db) -> User:
    """Somebody who may do everything."""
    return UserFactory(email="chief@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def chief(superuser) -> Client:
    """A browser in which the superuser has signed in."""
    client = Client()
    client.force_login(superuser)
    return client


@pytest.fixture
def ana(db) -> User:
    """A second person."""
    return UserFactory(name="Ana", is_staff=True, is_superuser=True)


@pytest.fixture
def anas(ana) -> Client:
    """The second person's browser."""
    client = Client()
    client.force_login(ana)
    return client


@pytest.fixture
def staff_with(db) -> Callable[..., Client]:
    """Return what makes staff who have some permissions, signed in."""

    def make(*names: str) -> Client:
        user = UserFactory(is_staff=True)
        for name in names:
            app, _, codename = name.partition(".")
            permission = Permission.objects.get(content_type__app_label=app, codename=codename)
            user.user_permissions.add(permission)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def staff_in(db) -> Callable[[str], Client]:
    """Return what makes staff of a group, signed in."""

    def make(group: str) -> Client:
        user = UserFactory(is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return make
