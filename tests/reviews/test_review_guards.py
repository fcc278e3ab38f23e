"""What the database holds of rules, screenings and limits, whoever writes: attacks by raw SQL."""

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from config.postgres_home import APPLICATION, OWNER, SUPERUSER
from tests.database import running_server
from tests.ledger.pen import Pen

FORBIDDEN, RESTRICTED, CHECKED, TAKEN = "42501", "23001", "23514", "23505"
ORGANISATION = """
    INSERT INTO organisations_organisation (id, name, slug, summary, description, registration,
        website, crest, country, currency, status, created_at, decision_reason)
    VALUES (%(id)s, 'Charity', %(slug)s, '', '', '', '', '', 'BE', 'EUR', 'applied', now(), '')
"""
PERSON = """
    INSERT INTO organisations_user (id, password, is_superuser, email, name, is_staff, is_active,
        created_at)
    VALUES (%(id)s, '', false, %(email)s, '', true, true, now()) RETURNING id
"""
SCREENING = """
    INSERT INTO reviews_screening (id, organisation_id, occasion, subject, verdict, score, results,
        hits, duration_us, at)
    VALUES ('scr_1', 'org_1', 'promise', 'don_1', 'review', 60, '[]', '{}', 1, now())
"""
ATTEMPT = """
    INSERT INTO reviews_attempt (organisation_id, kind, reference, gift, at, amount, currency,
        address, session, email, card, name, country)
    VALUES ('org_1', '{kind}', '{reference}', 'don_1', now(), 5000, 'EUR', 'a', 's', 'e', 'c', 'n',
        'BE')
"""
VERSION = """
    INSERT INTO reviews_ruleversion (organisation_id, rule, number, mode, parameters, reason,
        proposed_by_id, proposed_at{columns})
    VALUES ({organisation}, '{rule}', {number}, 'active', '{parameters}', 'Why not.', {by}, now()
        {values}) RETURNING id
"""
ACTIVATION = """
    UPDATE reviews_ruleversion
    SET backtest = '{}', activated_by_id = %s, activated_at = now() WHERE id = %s
"""
CASE = """
    INSERT INTO reviews_case (id, organisation_id, kind, subject, summary, amount, currency, reason,
        opened_at, people_needed)
    VALUES ('case_{number}', {organisation}, 'gift', 'don_{number}', '', {amount}, '{currency}', '',
        now(), {asked}) RETURNING people_needed
"""


class Attacker:
    """A plain connection as a role, with an organisation and two people."""

    def __init__(self, connection):
        self.connection, self.number = connection, 0
        connection.execute(ORGANISATION, {"id": "org_1", "slug": "one"})
        self.ann, self.bob = self.person("usr_ann"), self.person("usr_bob")

    def one(self, statement, values=None):
        return self.connection.execute(statement, values).fetchone()[0]

    def person(self, name):
        return self.one(PERSON, {"id": name, "email": f"{name}@example.org"})

    def version(self, rule="address_pace", parameters="{}", organisation="'org_1'", **more):
        self.number += 1
        return VERSION.format(
            organisation=organisation,
            rule=rule,
            number=self.number,
            parameters=parameters,
            by=sql.quote(self.ann),
            columns="".join(f", {name}" for name in more),
            values="".join(f", {value}" for value in more.values()),
        )

    def found(self):
        self.connection.execute(SCREENING)
        self.proposed()
        # Nothing is left for the end of the transaction, which does not come: TRUNCATE would wait.
        self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def proposed(self, *args, **more):
        return self.one(self.version(*args, **more))

    def in_force(self, *args, **more):
        version = self.proposed(*args, **more)
        self.activate(version, self.bob)
        return version

    def activate(self, version, by):
        self.connection.execute(ACTIVATION, [by, version])

    def people_needed(self, amount, currency="EUR", organisation="'org_1'", asked=1):
        self.number += 1
        case = CASE.format(
            number=self.number,
            organisation=organisation,
            amount=amount,
            currency=currency,
            asked=asked,
        )
        return self.one(case)

    def refused(self, statement, values=None):
        """Return the state and the constraint by which a statement is refused."""
        with pytest.raises(psycopg.Error) as refusal, self.connection.transaction():
            self.connection.execute(statement, values)
        return refusal.value.sqlstate, refusal.value.diag.constraint_name


@pytest.fixture
def attack_as(django_db_setup):
    """Return what opens an attacker of a role; everything is rolled back after the test."""
    server, name = running_server(), connections["default"].settings_dict["NAME"]
    opened = []

    def attack(role):
        connection = psycopg.connect(server.url(role, name))
        opened.append(connection)
        return Attacker(connection)

    yield attack
    for connection in opened:
        connection.rollback()
        connection.close()


@pytest.fixture(params=[APPLICATION, OWNER])
def anybody(request, attack_as):
    return attack_as(request.param)


# What was found stays


STAYS = [
    "UPDATE reviews_screening SET verdict = 'approve'",
    "UPDATE reviews_screening SET results = '[]', hits = '{}'",
    "DELETE FROM reviews_screening",
    "TRUNCATE reviews_screening CASCADE",
    "INSERT INTO reviews_screening SELECT * FROM reviews_screening "
    "ON CONFLICT (organisation_id, id) DO UPDATE SET score = 0",
    "MERGE INTO reviews_screening AS kept USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE",
    "DELETE FROM reviews_ruleversion",
    "TRUNCATE reviews_ruleversion CASCADE",
]


@pytest.mark.parametrize("change", STAYS)
@pytest.mark.parametrize(("role", "state"), [(APPLICATION, FORBIDDEN), (OWNER, RESTRICTED)])
def test_what_rules_found_stays(attack_as, change, role, state):
    attacker = attack_as(role)
    attacker.found()

    assert attacker.refused(change)[0] == state


def test_what_rules_found_stays_also_for_who_may_switch_triggers_off(attack_as):
    attacker = attack_as(SUPERUSER)
    attacker.found()
    grant = sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}")
    attacker.connection.execute(grant.format(sql.Identifier(OWNER)))
    attacker.connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{OWNER}"')
    attacker.connection.execute("SET LOCAL session_replication_role = replica")

    for change in STAYS:
        assert attacker.refused(change)[0] == RESTRICTED


# Tries


def test_a_try_counts_once(anybody):
    anybody.connection.execute(ATTEMPT.format(kind="paid", reference="ch_1"))

    again = ATTEMPT.format(kind="paid", reference="ch_1")
    assert anybody.refused(again) == (TAKEN, "attempt_counts_once")
    anybody.connection.execute(ATTEMPT.format(kind="declined", reference="ch_1"))


@pytest.mark.parametrize("trait", ["address", "session", "email", "card", "name"])
def test_who_tried_can_be_forgotten_and_is_nobody_else_then(anybody, trait):
    anybody.connection.execute(ATTEMPT.format(kind="paid", reference="ch_1"))

    other = f"UPDATE reviews_attempt SET {trait} = 'x'"
    assert anybody.refused(other) == (CHECKED, "attempt_stays")
    anybody.connection.execute(f"UPDATE reviews_attempt SET {trait} = ''")
    assert anybody.refused(other) == (CHECKED, "attempt_stays")
    anybody.connection.execute(f"UPDATE reviews_attempt SET {trait} = ''")


@pytest.mark.parametrize(
    "change", ["at = now()", "kind = 'paid'", "amount = 1", "gift = 'x'", "country = 'FR'"]
)
def test_nothing_else_of_a_try_changes(attack_as, change):
    attacker = attack_as(APPLICATION)
    attacker.connection.execute(ATTEMPT.format(kind="declined", reference="ch_1"))

    assert attacker.refused(f"UPDATE reviews_attempt SET {change}")[0] == FORBIDDEN


# Versions of rules


def test_a_version_begins_as_a_proposal(anybody):
    in_force = {
        "backtest": "'{}'",
        "activated_by_id": sql.quote(anybody.bob),
        "activated_at": "now()",
    }

    for begun in (in_force, {"withdrawn_at": "now()"}):
        statement = anybody.version(**begun)
        assert anybody.refused(statement) == (CHECKED, "rule_version_goes_on")


def test_a_version_needs_a_second_person(anybody):
    version = anybody.proposed()

    by_oneself = anybody.refused(ACTIVATION, [anybody.ann, version])
    assert by_oneself == (CHECKED, "rule_version_needs_a_second_person")
    anybody.activate(version, anybody.bob)


@pytest.mark.parametrize(
    "activation",
    [
        "activated_by_id = %s, activated_at = now()",
        "backtest = '{}', activated_by_id = %s",
    ],
)
def test_a_version_is_in_force_with_a_backtest_a_person_and_a_moment(anybody, activation):
    anybody.proposed()

    refused = anybody.refused(f"UPDATE reviews_ruleversion SET {activation}", [anybody.bob])

    assert refused == (CHECKED, "rule_version_is_put_in_force_by_somebody")


@pytest.mark.parametrize(
    "change",
    [
        "activated_by_id = NULL, activated_at = NULL",
        "activated_at = now()",
        "backtest = '{\"hits\": 0}'",
        "withdrawn_at = now()",
    ],
)
def test_what_is_in_force_stays_in_force(anybody, change):
    anybody.in_force()

    refused = anybody.refused(f"UPDATE reviews_ruleversion SET {change}")

    assert refused == (CHECKED, "rule_version_goes_on")


def test_what_was_withdrawn_does_not_come_back(anybody):
    version = anybody.proposed()
    anybody.connection.execute("UPDATE reviews_ruleversion SET withdrawn_at = now()")

    back = anybody.refused("UPDATE reviews_ruleversion SET withdrawn_at = NULL")
    in_force = anybody.refused(ACTIVATION, [anybody.bob, version])

    assert back == in_force == (CHECKED, "rule_version_goes_on")


@pytest.mark.parametrize(
    "change",
    [
        "parameters = '{\"per_hour\": 999}'",
        "mode = 'off'",
        "rule = 'two_people'",
        "organisation_id = NULL",
        "proposed_by_id = 'usr_bob'",
        "reason = 'Another.'",
        "number = 9",
    ],
)
def test_a_proposal_is_not_changed_after_the_other_person_read_it(attack_as, change):
    attacker = attack_as(APPLICATION)
    attacker.proposed()

    assert attacker.refused(f"UPDATE reviews_ruleversion SET {change}")[0] == FORBIDDEN


@pytest.mark.parametrize("organisation", ["'org_1'", "NULL"])
def test_a_number_stands_for_one_version(anybody, organisation):
    anybody.proposed(organisation=organisation)
    anybody.number -= 1

    again = anybody.version(organisation=organisation)

    assert anybody.refused(again) == (TAKEN, "rule_version_is_numbered")


def test_nobody_sets_the_rules_of_their_own_organisation(anybody):
    member = """
        INSERT INTO organisations_membership (organisation_id, user_id, role)
        VALUES ('org_1', %s, 'owner')
    """
    anybody.connection.execute(member, [anybody.ann])
    anybody.ann, anybody.bob = anybody.bob, anybody.ann
    proposal, of_all = anybody.proposed(), anybody.proposed(organisation="NULL")
    anybody.ann, anybody.bob = anybody.bob, anybody.ann

    assert anybody.refused(anybody.version()) == (CHECKED, "rule_version_is_of_others")
    own = anybody.refused(ACTIVATION, [anybody.ann, proposal])
    assert own == (CHECKED, "rule_version_is_of_others")
    anybody.activate(of_all, anybody.ann)


def test_a_proposal_has_a_reason(anybody):
    silent = anybody.version().replace("'Why not.'", "''")

    assert anybody.refused(silent) == (CHECKED, "rule_version_has_a_reason")


# Money that is held


@pytest.mark.parametrize("operation", ["HOLD_RELEASED", "FUND_TRANSFER", "PROCESSING_FEE"])
def test_held_money_comes_to_no_fund_whatever_that_is_called(anybody, operation):
    pen = Pen(anybody.connection)
    pen.write(pen.row(operation="DONATION_HELD", debit="fund:general", credit="held"))

    free = pen.row(operation=operation, debit="held", credit="fund:general")

    assert pen.refused(free) == (CHECKED, "release_is_decided")


# How many people decide


LIMIT = '{"EUR": 5000, "*": 300}'


def test_two_people_decide_about_a_thousand_where_nobody_said_otherwise(anybody):
    asked = [(99999, "EUR"), (100000, "EUR"), (99999, "JPY"), (100000, "JPY")]

    assert [anybody.people_needed(*money) for money in asked] == [1, 2, 1, 2]
    assert anybody.people_needed("NULL", "", "NULL") == 1


def test_limits_count_when_two_people_agreed_on_them(anybody):
    version = anybody.proposed("two_people", LIMIT)
    assert anybody.people_needed(5000) == 1

    anybody.activate(version, anybody.bob)

    asked = [(4999, "EUR"), (5000, "EUR"), (299, "JPY"), (300, "JPY")]
    assert [anybody.people_needed(*money) for money in asked] == [1, 2, 1, 2]
    assert anybody.people_needed(5000, organisation="NULL") == 1


def test_a_limit_of_an_organisation_goes_before_that_of_all_and_the_newest_first(anybody):
    anybody.in_force("two_people", '{"*": 7000}', organisation="'org_1'")
    anybody.in_force("two_people", '{"*": 10}', organisation="NULL")
    assert (anybody.people_needed(6999), anybody.people_needed(7000)) == (1, 2)
    assert anybody.people_needed(10, organisation="NULL") == 2

    anybody.in_force("two_people", '{"*": 9000}', organisation="'org_1'")

    assert (anybody.people_needed(8999), anybody.people_needed(9000)) == (1, 2)


def test_limits_that_were_withdrawn_or_are_another_rules_count_for_nothing(anybody):
    anybody.proposed("two_people", LIMIT)
    anybody.connection.execute("UPDATE reviews_ruleversion SET withdrawn_at = now()")
    anybody.in_force("address_pace", LIMIT)

    assert anybody.people_needed(5000) == 1


def test_nobody_asks_for_fewer_people_than_the_limit(anybody):
    assert anybody.people_needed(100000, asked=1) == 2
    assert anybody.people_needed(1, asked=2) == 2
    assert anybody.refused(
        CASE.format(number=0, organisation="NULL", amount=1, currency="EUR", asked=3)
    ) == (CHECKED, "case_needs_one_person_or_two")


def test_the_application_changes_neither_amount_nor_people_of_a_case(attack_as):
    attacker = attack_as(APPLICATION)
    attacker.people_needed(100000)

    for change in ("people_needed = 1", "amount = 1", "currency = 'JPY'", "organisation_id = NULL"):
        assert attacker.refused(f"UPDATE reviews_case SET {change}")[0] == FORBIDDEN


RIGHTS = [
    ("reviews_attempt", "DELETE"),
    ("reviews_attempt", "INSERT"),
    ("reviews_attempt", "SELECT"),
    ("reviews_ruleversion", "INSERT"),
    ("reviews_ruleversion", "SELECT"),
    ("reviews_screening", "INSERT"),
    ("reviews_screening", "SELECT"),
]
COLUMN_RIGHTS = {
    ("reviews_attempt", column) for column in ("address", "session", "email", "card", "name")
} | {
    ("reviews_ruleversion", column)
    for column in ("backtest", "activated_by_id", "activated_at", "withdrawn_at")
}
OURS = "IN ('reviews_attempt', 'reviews_ruleversion', 'reviews_screening')"


def test_the_application_has_these_rights_and_no_more(attack_as):
    connection = attack_as(APPLICATION).connection

    rights = connection.execute(
        "SELECT c.relname, p.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS p "
        f"WHERE c.relname {OURS} AND p.grantee = current_user::regrole ORDER BY 1, 2"
    ).fetchall()
    columns = connection.execute(
        "SELECT c.relname, a.attname, p.privilege_type FROM pg_class AS c "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS p "
        f"WHERE c.relname {OURS}"
    ).fetchall()

    assert rights == RIGHTS
    assert {(table, column) for table, column, _ in columns} == COLUMN_RIGHTS
    assert {right for _, _, right in columns} == {"UPDATE"}
