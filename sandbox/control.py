"""The `/_control/` half of the sandbox: what a test or the demo makes happen."""

import math
import re
import time
from dataclasses import dataclass

from sandbox.acts import ACTS, Stage
from sandbox.api import require_key
from sandbox.blank import Resource
from sandbox.control_body import Values, take, values_of
from sandbox.errors import CardDeclined, StripeError
from sandbox.messages import Answer, Request, as_json

_FLUSH_SECONDS = 30.0
_LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Control:
    """Answers control URLs."""

    stage: Stage
    secret_key: str

    def answer(self, request: Request) -> Answer:
        """Do what the control URL says and answer with what came of it, as JSON."""
        try:
            require_key(request, self.secret_key)
            return as_json(200, self._answer(request))
        except StripeError as error:
            return as_json(error.status, error.body)

    def _answer(self, request: Request) -> Resource:
        path = request.path.removeprefix("/_control/")
        values = values_of(request.body)
        if (request.verb, path) == ("POST", "delivery/flush"):
            return self._flush(take(values, "timeout", float, _FLUSH_SECONDS))
        return self.play(request.verb, path, values)

    def play(self, called: str, path: str, values: Values) -> Resource:
        """Do what a control URL says and return what came of it."""
        for verb, pattern, act in ACTS:
            match = re.fullmatch(pattern, path)
            if verb == called and match:
                with self.stage.store.transaction(keep=CardDeclined):
                    return act(self.stage, values, *match.groups())
        raise StripeError(404, f"Unrecognized control URL ({called}: /_control/{path}).")

    def _flush(self, seconds: float) -> Resource:
        """Settle everything, and wait until all events have arrived or the time is over."""
        deadline = time.time() + seconds
        while True:
            with self.stage.store.transaction():
                self.stage.settlement.settle(captured_before=math.inf)
                counts = self.stage.counts()
            if not counts["queued"] or time.time() >= deadline:
                return {**counts, "is_flushed": not counts["queued"]}
            time.sleep(_LOOK_SECONDS)
