"""The trail of what staff did: any SQL client may add to it, and nobody changes or removes it."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import DatabaseError, connection, transaction
from psycopg.errors import RestrictViolation

from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db
ATTACKS = [
    "UPDATE django_admin_log SET change_message = 'Nothing.'",
    "UPDATE django_admin_log SET user_id = user_id",
    "DELETE FROM django_admin_log",
    "TRUNCATE django_admin_log",
]
LINE = """
INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)
VALUES (now(), 'A case', 2, 'Seen.', 'usr_1')
"""


@pytest.fixture
def entry() -> LogEntry:
    """Something that somebody did."""
    person, case = UserFactory(), CaseFactory()
    LogEntry.objects.log_actions(person.pk, [case], CHANGE, "decided: close: A fee.")
    return LogEntry.objects.get()


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_application_can_change_nothing_in_the_trail(entry, attack):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(attack)

    assert LogEntry.objects.get().change_message == "decided: close: A fee."


@pytest.mark.parametrize("attack", ATTACKS[:3])
def test_whoever_owns_the_tables_cannot_either(superuser_connection, attack):
    superuser_connection.execute("BEGIN")
    superuser_connection.execute("SET LOCAL session_replication_role = replica")
    superuser_connection.execute(LINE)

    with pytest.raises(RestrictViolation, match="what was decided and found stays"):
        superuser_connection.execute(attack)


def test_nobody_empties_the_trail(superuser_connection):
    with pytest.raises(RestrictViolation, match="what was decided and found stays"):
        superuser_connection.execute("TRUNCATE django_admin_log")
