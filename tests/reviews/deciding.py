"""What tests do with cases as staff do."""

from organisations.models import User
from reviews.models import Case
from reviews.services.deciding import decide


def close_case(*, case: Case, closed_by: User, reason: str) -> Case:
    """Have a person close a case; return it."""
    return decide(case=case, by=closed_by, choice="close", reason=reason).case
