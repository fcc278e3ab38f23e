"""`Idempotency-Key`: the same request again gets the same answer, and is not played again."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.blank import Resource
from sandbox.errors import CardDeclined, StripeError
from sandbox.messages import Answer, Request, as_json_text
from sandbox.scope import Scope


def remembered(
    scope: Scope, request: Request, sent: dict[str, Any], play: Callable[[], Resource]
) -> Answer:
    """Return the stored answer to this key, or play the call and store what comes of it."""
    if scope.idempotency_key is None:
        return _answer(200, _text(play()))
    asked = json.dumps([request.path, sent], sort_keys=True)
    stored = scope.store.rows(
        "SELECT request, status, body FROM answers WHERE account = ? AND key = ?",
        scope.account,
        scope.idempotency_key,
    )
    if stored:
        return _again(asked, *stored[0])
    status, text = _first(play)
    scope.store.rows(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?)",
        scope.account,
        scope.idempotency_key,
        asked,
        status,
        text,
    )
    return _answer(status, text)


def _first(play: Callable[[], Resource]) -> tuple[int, str]:
    """Play the call; a declined card is an answer to keep, a refusal is not."""
    try:
        return 200, _text(play())
    except CardDeclined as error:
        return error.status, _text(error.body)


def _again(asked: str, request: str, status: int, text: str) -> Answer:
    if asked != request:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were"
            " first used with."
        )
        raise StripeError(400, message, type="idempotency_error")
    return _answer(status, text, Idempotent_Replayed="true")


def _text(content: Resource) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


def _answer(status: int, text: str, **headers: str) -> Answer:
    return as_json_text(status, text, **headers)
