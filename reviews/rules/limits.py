"""From which amounts on two people decide: kept as a rule's versions are, read by the database."""

from collections.abc import Mapping
from typing import Any

from reviews.rules.rule import check_amounts

TWO_PEOPLE = "two_people"


def limits(given: Mapping[str, Any]) -> dict[str, int]:
    """
    Return limits as `reviews_people_needed_v1` reads them: minor units, by currency and "*".

    Raises `ParametersUnusable`.
    """
    check_amounts(TWO_PEOPLE, given)
    return dict(given)
