"""What staff see of credits."""

import pytest
from django.contrib.admin.utils import quote
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from credits.models import OwnerListing
from tests.factories import (
    CreditGrantFactory,
    GrantRuleFactory,
    OrganisationFactory,
    UserFactory,
    gift_entries,
)

OWNERS = "/admin/credits/ownerlisting/"


@pytest.fixture
def chief(db) -> Client:
    """A browser in which a superuser has signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def rows_of(client, url, **query):
    """Return the rows that a list shows."""
    response = client.get(url, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_owners_are_listed_with_their_balances(chief, program, program_of, organisation):
    program.post("bob", "CREDIT_ADD", "n1", amount=7)
    program.post("ann/<b>", "CREDIT_ADD", "n2", amount=3)
    program.post("bob", "CREDIT_SPEND", "n3", amount=-2)
    program_of(OrganisationFactory()).post("eve", "CREDIT_ADD", "n1")
    gift_entries(organisation)

    found = [(row.owner_id, row.balance) for row in rows_of(chief, OWNERS, q="lantern")]

    assert found == [("ann/<b>", 3), ("bob", 5)]
    assert len(rows_of(chief, OWNERS)) == 3
    assert rows_of(chief, OWNERS, q="bob") == []


def test_one_owner_is_shown_and_nothing_can_be_changed(chief, program):
    program.post("ann", "CREDIT_ADD", "n1", amount=7)
    row = OwnerListing.objects.get()
    url = f"{OWNERS}{quote(row.id)}/change/"

    page = chief.get(url)

    assert page.status_code == 200
    assert "ann" not in url
    assert str(row) == row.id
    assert chief.post(url, {"balance": 8}).status_code == 403
    assert chief.get(f"{OWNERS}{quote(row.id + 'x')}/change/").status_code == 302


def test_nobody_writes_through_the_list(program):
    program.post("ann", "CREDIT_ADD", "n1")

    for statement in (
        "UPDATE credits_ownerlisting SET organisation_id = 'org_x'",
        "DELETE FROM credits_ownerlisting",
        "INSERT INTO credits_ownerlisting (organisation_id, application) VALUES ('org_x', 'x')",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_rules_and_grants_are_listed(chief, organisation):
    rule = GrantRuleFactory(organisation=organisation)
    grant = CreditGrantFactory(organisation=organisation)

    assert rows_of(chief, "/admin/credits/grantrule/", q="lantern") == [rule]
    assert rows_of(chief, "/admin/credits/creditgrant/", q=grant.donation) == [grant]
    listed = chief.get("/admin/credits/creditgrant/")
    assert "ann" not in listed.content.decode()
    assert chief.post("/admin/credits/grantrule/add/").status_code == 403
