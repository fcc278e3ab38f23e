"""Who takes part in an organisation: the rules of the service, and those that nobody gets round."""

import itertools
from threading import Event

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from config.postgres_home import OWNER
from organisations.errors import LastOwner, MayNotManage, NoMember, NotByOneself, OwnersOnly
from organisations.models import Membership, MembershipChange
from organisations.services.members import add_member, change_role, leave, remove_member
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from tests.ledger.writers import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def pond():
    return OrganisationFactory(slug="pond")


@pytest.fixture
def part(pond):
    """Return what gives the organisation another member."""
    return lambda role: MembershipFactory(organisation=pond, role=role)


def log(organisation):
    """Return the log: what happened to whom, from which role to which, by whom."""
    changes = MembershipChange.objects.newest(organisation, 100)
    return [
        (each.kind, each.person, each.role_before, each.role_after, each.by) for each in changes
    ]


def test_a_part_that_begins_changes_and_ends_is_written_down(pond, part):
    owner = part("owner").user
    ann = UserFactory()

    membership = add_member(organisation=pond, user=ann, role="viewer")
    change_role(membership=membership, role="finance", by=owner)
    change_role(membership=membership, role="finance", by=owner)
    remove_member(membership=membership, by=owner)

    assert log(pond) == [
        ("removed", ann, "finance", "", owner),
        ("role_changed", ann, "viewer", "finance", owner),
        ("joined", ann, "", "viewer", None),
    ]
    assert not Membership.objects.filter(user=ann).exists()


def test_leaving_is_written_down_too(pond, part):
    part("owner")
    ann = part("owner")

    leave(membership=ann)

    assert log(pond) == [("left", ann.user, "owner", "", ann.user)]
    with pytest.raises(NoMember):
        leave(membership=ann)


ROLES = ("owner", "admin", "finance", "viewer")


@pytest.mark.parametrize(("by", "of", "to"), [*itertools.product(ROLES, ROLES, ROLES)])
def test_owners_are_made_and_changed_by_owners_the_others_by_admins_too(part, by, of, to):
    part("owner")
    actor, other = part(by).user, part(of)

    expected = None
    if by in {"finance", "viewer"}:
        expected = MayNotManage
    elif by == "admin" and "owner" in {of, to}:
        expected = OwnersOnly
    if expected:
        with pytest.raises(expected):
            change_role(membership=other, role=to, by=actor)
    else:
        change_role(membership=other, role=to, by=actor)

    other.refresh_from_db()
    assert other.role == (of if expected else to)


@pytest.mark.parametrize(("by", "of"), [*itertools.product(ROLES, ROLES)])
def test_who_may_change_a_role_may_end_it(part, by, of):
    part("owner")
    actor, other = part(by).user, part(of)

    if by == "owner" or (by == "admin" and of != "owner"):
        remove_member(membership=other, by=actor)
    else:
        with pytest.raises((MayNotManage, OwnersOnly)):
            remove_member(membership=other, by=actor)

    assert Membership.objects.filter(pk=other.pk).exists() == (
        by not in {"owner", "admin"} or (by, of) == ("admin", "owner")
    )


@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_themselves(part, role):
    part("owner")
    own = part(role)

    with pytest.raises(NotByOneself):
        change_role(membership=own, role="owner", by=own.user)
    with pytest.raises(NotByOneself):
        remove_member(membership=own, by=own.user)


def test_a_stranger_changes_nobody(part):
    other = part("viewer")

    with pytest.raises(MayNotManage):
        change_role(membership=other, role="admin", by=MembershipFactory(role="owner").user)


def test_the_last_owner_stays(part):
    own = part("owner")
    part("admin")

    with pytest.raises(LastOwner):
        leave(membership=own)
    assert Membership.objects.filter(role="owner").count() == 1


def test_who_was_removed_meanwhile_changes_nothing(part):
    first, second, third = part("owner"), part("owner"), part("viewer")
    remove_member(membership=second, by=first.user)

    with pytest.raises(MayNotManage):
        remove_member(membership=third, by=second.user)
    with pytest.raises(NoMember):
        remove_member(membership=second, by=first.user)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_remove_each_other_at_once_one_stays(pond, part):
    first, second = part("owner"), part("owner")

    outcomes = at_once(
        lambda: remove_member(membership=second, by=first.user),
        lambda: remove_member(membership=first, by=second.user),
    )

    assert Membership.objects.filter(organisation=pond).count() == 1
    assert {type(each) for each in outcomes} == {type(None), MayNotManage}


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(pond, part):
    own = [part("owner"), part("owner")]

    outcomes = at_once(lambda: leave(membership=own[0]), lambda: leave(membership=own[1]))

    assert Membership.objects.get(organisation=pond).role == "owner"
    assert {type(each) for each in outcomes} == {type(None), LastOwner}


# By raw SQL

ATTACKS = [
    "DELETE FROM organisations_membership WHERE organisation_id = %(pond)s",
    "DELETE FROM organisations_membership WHERE organisation_id = %(pond)s AND role = 'owner'",
    "UPDATE organisations_membership SET role = 'viewer' WHERE organisation_id = %(pond)s",
    "UPDATE organisations_membership SET organisation_id = %(other)s "
    "WHERE organisation_id = %(pond)s",
    "WITH gone AS (DELETE FROM organisations_membership WHERE organisation_id = %(pond)s "
    "RETURNING id) SELECT count(*) FROM gone",
]
ON_THE_LOG = [
    "UPDATE organisations_membershipchange SET kind = 'left'",
    "DELETE FROM organisations_membershipchange",
    "TRUNCATE organisations_membershipchange",
    "TRUNCATE organisations_membership",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_statement_takes_all_owners_away(pond, part, attack):
    part("owner"), part("owner"), part("viewer")
    names = {"pond": pond.id, "other": OrganisationFactory().id}

    with pytest.raises(psycopg.errors.CheckViolation, match="left without"), transaction.atomic():
        execute(attack, names)

    assert Membership.objects.filter(organisation=pond).count() == 3


def test_neither_does_a_statement_of_the_tables_own_keeper(pond, part, connect):
    part("owner"), part("owner"), part("viewer")
    names = {"pond": pond.id, "other": OrganisationFactory().id}
    keeper = connect(OWNER)

    for attack in ATTACKS:
        with pytest.raises(psycopg.errors.CheckViolation, match="left without an owner"):
            keeper.execute(attack, names)
    for attack in ON_THE_LOG:
        with pytest.raises(psycopg.errors.RestrictViolation, match="is refused"):
            keeper.execute(attack)
    assert Membership.objects.filter(organisation=pond).count() == 3


@pytest.mark.parametrize(
    ("isolation", "refusal"),
    [
        ("READ COMMITTED", psycopg.errors.CheckViolation),
        ("REPEATABLE READ", psycopg.errors.SerializationFailure),
        ("SERIALIZABLE", psycopg.errors.SerializationFailure),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_no_two_statements_at_once_do_either(
    pond, part, application_connection, isolation, refusal
):
    ids = [part("owner").pk, part("owner").pk]
    first, second = application_connection(), application_connection()
    for each in (first, second):
        each.autocommit = False
        each.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        each.execute("SELECT count(*) FROM organisations_membership")
    delete = "DELETE FROM organisations_membership WHERE id = %s"
    first.execute(delete, [ids[0]])

    is_done = Event()

    def rival():
        try:
            second.execute(delete, [ids[1]])
        finally:
            is_done.set()

    def let_go():
        while not is_done.is_set() and not waits(first, second.info.backend_pid):
            pass
        first.commit()

    [outcome, _] = at_once(rival, let_go)

    assert isinstance(outcome, refusal)
    second.rollback()
    assert Membership.objects.get(organisation=pond).pk == ids[1]


def waits(watcher, process):
    """Tell whether a process waits for a lock."""
    statement = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    return watcher.execute(statement, [process]).fetchone()[0]


@pytest.mark.parametrize("attack", ON_THE_LOG)
def test_the_log_stays_as_it_was_written(pond, part, attack):
    add_member(organisation=pond, user=UserFactory(), role="viewer")

    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction.atomic():
        execute(attack)
    assert len(log(pond)) == 1


def execute(statement, names=None):
    """Run a statement as the application; raise what PostgreSQL says."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, names)
    except Exception as error:
        raise error.__cause__ from error


@pytest.mark.parametrize("kind", ["role_changed", "removed"])
def test_no_line_of_the_log_says_that_somebody_raised_themselves(pond, part, kind):
    own = part("admin").user

    with pytest.raises(IntegrityError, match="nobody_changes_their_own_role"):
        MembershipChange.objects.create(organisation=pond, kind=kind, person=own, by=own)


def test_every_line_of_the_log_is_about_somebody(pond):
    with pytest.raises(IntegrityError, match="change_is_about_somebody"):
        MembershipChange.objects.create(organisation=pond, kind="joined")
