"""
A proof of work for visitors who may be programs: cheap for one gift, dear for thousands.

The puzzle is a signed text that nobody else can make; its solution is a number with which the
text's SHA-256 begins with a number of zero bits. The donor's own browser finds it in a second or
two, and no other site is asked. (The idea: https://en.wikipedia.org/wiki/Hashcash.)
"""

import hashlib
import secrets

from django.core import signing

SALT = "reviews.puzzles"
ZERO_BITS = 16
VALID_SECONDS = 900
SOLUTION_LENGTH_MAX = 20


def new_puzzle() -> str:
    """Return a puzzle that can be solved for the next quarter of an hour."""
    return signing.dumps(secrets.token_urlsafe(12), salt=SALT)


def solved(puzzle: str, solution: str) -> str:
    """Return the name of a puzzle that is solved, by which it is used once; else nothing."""
    try:
        name = str(signing.loads(puzzle, salt=SALT, max_age=VALID_SECONDS))
    except signing.BadSignature:
        return ""
    if len(solution) > SOLUTION_LENGTH_MAX:
        return ""
    digest = hashlib.sha256(f"{puzzle}:{solution}".encode()).digest()
    return "" if int.from_bytes(digest) >> (256 - ZERO_BITS) else name
