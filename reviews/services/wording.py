"""Why a gift is under review, in words."""

from reviews.models import Screening
from reviews.rules.register import RULES


def why_in_words(screening: Screening) -> str:
    """Return the titles of the rules that ask for a review; nothing where none did."""
    titles = [RULES[name].title for name in screening.hits if name in RULES]
    return f"To be looked at because of: {'; '.join(titles)}." if titles else ""
