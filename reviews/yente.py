"""Asking a yente, OpenSanctions' matching server, that the operator runs."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings

from common.errors import in_words
from common.posting import NotAnswered, post
from common.strict_json import parse
from reviews.names import ENOUGH

SCHEMAS = {"person": "Person", "organisation": "Organization", "any": "LegalEntity"}
QUESTION = "name"
ANSWER_BYTES_MAX = 1_048_576
SECONDS = 3
# What comes of looking into an answer of another form; ValueError is also what is no JSON.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class YenteMatch(NamedTuple):
    """Somebody whom yente finds alike enough."""

    uid: str
    name: str
    score: int
    datasets: tuple[str, ...]


class YenteAnswer(NamedTuple):
    """What yente said, or the sentence why it said nothing that can be used."""

    matches: tuple[YenteMatch, ...] = ()
    problem: str = ""


def ask_yente(name: str, *, kind: str = "any") -> YenteAnswer | None:
    """
    Return what yente says of a name; nothing where no yente is set.

    Never in a transaction: it is a call over the network, of some seconds at worst.
    """
    if not settings.YENTE_URL:
        return None
    query = {"schema": SCHEMAS[kind], "properties": {"name": [name]}}
    question = json.dumps({"queries": {QUESTION: query}}, ensure_ascii=False).encode()
    try:
        answer = post(
            f"{settings.YENTE_URL}/match/default",
            question,
            content_type="application/json",
            bytes_max=ANSWER_BYTES_MAX,
            seconds=SECONDS,
        )
        return YenteAnswer(_matches(parse(answer)))
    except NotAnswered as error:
        return YenteAnswer(problem=f"yente was not available: {error}")
    except UNREADABLE as error:
        return YenteAnswer(problem=f"yente answered what cannot be read: {in_words(error)}.")


def _matches(answer: Any) -> tuple[YenteMatch, ...]:
    response = answer["responses"][QUESTION]
    if response.get("status", HTTPStatus.OK) != HTTPStatus.OK:
        raise ValueError(f"status {response['status']}")
    return tuple(
        YenteMatch(
            str(result["id"]),
            str(result["caption"]),
            int(result["score"] * 100),
            tuple(str(dataset) for dataset in result.get("datasets", ())),
        )
        for result in response["results"]
        if result["score"] * 100 >= ENOUGH
    )
