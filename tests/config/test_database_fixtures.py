"""The tests' own ground: who they are in the database, and what they leave there."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, connections

from config.postgres_home import APPLICATION, OWNER, SUPERUSER

GUARDS = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
WHO = "SELECT session_user, current_database()"


@pytest.mark.django_db
def test_django_is_the_application():
    with connection.cursor() as cursor:
        cursor.execute(WHO)
        role, database = cursor.fetchone()

    assert role == APPLICATION
    assert database.startswith("test_almoner_")
    assert connections["owner"].settings_dict["NAME"] == database


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_what_a_test_commits_is_gone_after_it(time):
    assert not Group.objects.filter(name__in=["first", "second"]).exists()
    assert Permission.objects.exists()

    Group.objects.create(name=time)


def test_the_guards_stand_again_after_a_test_that_commits(superuser_connection):
    [guards] = superuser_connection.execute(GUARDS).fetchone()
    connection.ops.execute_sql_flush([])

    assert guards > 0
    assert superuser_connection.execute(GUARDS).fetchone() == (guards,)


def test_a_test_may_be_each_role_several_times(
    owner_connection, application_connection, superuser_connection
):
    plain = [application_connection(), application_connection()]
    everyone = [owner_connection, *plain, superuser_connection]

    found = [each.execute(WHO).fetchone() for each in everyone]

    assert [role for role, _ in found] == [OWNER, APPLICATION, APPLICATION, SUPERUSER]
    assert {database for _, database in found} == {connection.settings_dict["NAME"]}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        plain[0].execute("CREATE TEMPORARY TABLE mine ()")


def test_a_program_that_a_test_starts_is_in_the_same_database(transactional_db):
    Group.objects.create(name="of the test")
    script = "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).execute("
    script += "'SELECT name FROM auth_group ORDER BY id DESC LIMIT 1').fetchall())"

    answer = subprocess.check_output([sys.executable, "-c", script], env=os.environ, text=True)

    assert answer == "[('of the test',)]\n"
