"""Two who propose a version of the same rule at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

from reviews.errors import ProposedMeanwhile
from reviews.models import RuleVersion
from reviews.services.versions import propose
from tests.factories import UserFactory
from tests.ledger.writers import closing, outcome_of, who_waits_for

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = """
    INSERT INTO reviews_ruleversion
        (rule, number, mode, parameters, reason, proposed_by_id, proposed_at)
    VALUES ('address_pace', 1, 'active', '{}', 'I was first.', %s, now())
"""


def test_who_proposes_at_the_same_moment_reads_the_other_proposal_first(application_connection):
    first, watcher = application_connection(), application_connection()
    first.autocommit = False
    first.execute(FIRST, [UserFactory().pk])
    late = partial(
        propose,
        rule="address_pace",
        organisation=None,
        parameters={},
        mode=RuleVersion.Mode.ACTIVE,
        reason="So was I.",
        by=UserFactory(),
    )

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(closing(late))
        who_waits_for(first, watcher)
        first.commit()
        refused = outcome_of(waiting)

    assert isinstance(refused, ProposedMeanwhile)
    assert isinstance(refused.__cause__.__cause__, psycopg.errors.UniqueViolation)
    assert late().number == 2
