"""An organisation whose events come in, and rules of the test's own."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from organisations.models import Organisation
from reviews.rules.register import RULES
from tests.factories import OrganisationFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe
from tests.stripe_fixtures import stripe_account, stripe_server
from tests.webhooks.holding import large_gifts

__all__ = ["organisation", "sandbox_process", "sandbox_stripe", "stripe_account", "stripe_server"]


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation with a connected account."""
    return OrganisationFactory(stripe_account="acct_1")


@pytest.fixture
def only() -> Iterator[Callable[..., None]]:
    """Return what lets one rule, of large gifts, be all there is; afterwards all are as before."""

    def set_rule(*occasions: str, **fields: Any) -> None:
        RULES.clear()
        rule = large_gifts(*occasions, **fields)
        RULES[rule.name] = rule

    with patch.dict(RULES):
        yield set_rule
