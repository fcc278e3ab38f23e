"""
Asking witnesses to cosign checkpoints, and keeping what they sign.

The network is asked in threads that know no database; proofs are made, and answers kept, in the
caller's. No transaction is open meanwhile.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from common.errors import in_words
from ledger import notes
from ledger.models import PUBLIC, Cosignature, Log, WitnessAnswer
from ledger.policy import Policy, Witness
from ledger.witness_client import (
    AnswerWrong,
    Contradicted,
    Cosigned,
    LogUnknown,
    NotCosigned,
    SeenAt,
    Silent,
    add_checkpoint,
)

logger = logging.getLogger("almoner.ledger")

# No question is asked later than this after the first one; the next run goes on.
RUN_SECONDS = 10
LOGS_A_RUN = 200
# Who does not know a log, or answers nonsense, is not asked every few seconds.
PATIENCE = timedelta(minutes=1)
State = WitnessAnswer.State
STATES: Mapping[type[NotCosigned], State] = {
    Silent: State.SILENT,
    LogUnknown: State.UNKNOWN,
    Contradicted: State.CONTRADICTED,
    AnswerWrong: State.WRONG,
}
# Each public log, with each of the witnesses that have not cosigned its newest checkpoint.
UNSIGNED = """
    SELECT log.organisation_id, log.book, log.size, checkpoint.note, witness.vkey, (
        SELECT coalesce(max(size), 0) FROM ledger_cosignature AS signed
        WHERE signed.organisation_id = log.organisation_id AND signed.book = log.book
            AND signed.witness = witness.vkey
    )
    FROM ledger_log AS log
    JOIN organisations_organisation AS organisation
        ON organisation.id = log.organisation_id AND organisation.status = 'approved'
    JOIN ledger_checkpoint AS checkpoint
        ON checkpoint.organisation_id = log.organisation_id AND checkpoint.book = log.book
            AND checkpoint.size = log.size
    CROSS JOIN unnest(%s::text[]) AS witness (vkey)
    LEFT JOIN ledger_cosignature AS signed
        ON signed.organisation_id = log.organisation_id AND signed.book = log.book
            AND signed.size = log.size AND signed.witness = witness.vkey
    LEFT JOIN ledger_witnessanswer AS answer
        ON answer.organisation_id = log.organisation_id AND answer.book = log.book
            AND answer.witness = witness.vkey
    WHERE log.book = %s AND signed.witness IS NULL
        AND (answer IS NULL OR answer.state = ANY (%s) OR answer.asked_at < %s)
    ORDER BY answer.asked_at NULLS FIRST, log.organisation_id
"""
KEEP_ANSWER = """
    INSERT INTO ledger_witnessanswer AS answer
        (organisation_id, book, witness, state, problem, since, asked_at, cosigned_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (organisation_id, book, witness) DO UPDATE SET
        state = EXCLUDED.state, problem = EXCLUDED.problem, asked_at = EXCLUDED.asked_at,
        cosigned_at = coalesce(EXCLUDED.cosigned_at, answer.cosigned_at),
        since = CASE WHEN answer.state = EXCLUDED.state THEN answer.since ELSE EXCLUDED.since END
"""


class Question(NamedTuple):
    """A checkpoint for a witness to cosign; `subject` is whatever tells the caller which it is."""

    subject: Any
    note: notes.Note
    size: int
    # The proof from an older size, and the size that the witness cosigned last, as we remember it.
    consistency: Callable[[int], Sequence[bytes]]
    cosigned_size: int


class Contradiction(NamedTuple):
    """A witness has seen a log that ours does not go on from; the heads log is nobody's."""

    organisation_id: str
    book: str
    witness: Witness
    reason: str

    @property
    def log(self) -> str:
        """Name the log."""
        return f"{self.organisation_id}/{self.book}".lstrip("/")


class _Attempt(NamedTuple):
    question: Question
    old: int
    proof: Sequence[bytes]
    is_second: bool

    def is_worth_another(self, size: int) -> bool:
        """Tell whether to ask again from the size that the witness names."""
        return not self.is_second and size <= self.question.size


class _BookLog(NamedTuple):
    organisation_id: str
    book: str


Answer = Cosigned | NotCosigned
Answers = list[tuple[_Attempt, Answer]]


def ask_witnesses(
    questions: Mapping[Witness, Sequence[Question]],
) -> Iterator[tuple[Witness, Question, Answer]]:
    """
    Ask every witness at the same time, each one question after the other; return the answers.

    A witness that remembers another size than we do is asked once more, from there. One that is
    silent is asked nothing more, so its further questions have no answers.
    """
    end = time.monotonic() + RUN_SECONDS
    with ThreadPoolExecutor(max(1, len(questions))) as pool:
        running: dict[Future[Answers], Witness] = {}
        for witness, asked in questions.items():
            first = _attempts((question, question.cosigned_size) for question in asked)
            running[pool.submit(_ask, witness, first, end)] = witness
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                witness, again = running.pop(future), []
                for attempt, answer in future.result():
                    if isinstance(answer, SeenAt) and attempt.is_worth_another(answer.size):
                        again.append((attempt.question, answer.size))
                    else:
                        yield witness, attempt.question, answer
                if again:
                    second = _attempts(again, is_second=True)
                    running[pool.submit(_ask, witness, second, end)] = witness


def collect_cosignatures(*, policy: Policy) -> list[Contradiction]:
    """
    Ask the policy's witnesses for what they have not cosigned of the public logs; keep it.

    Returns which of them have seen another log than ours: staff must know.
    """
    contradictions = []
    for witness, question, answer in ask_witnesses(_unsigned(policy)):
        log: _BookLog = question.subject
        told = judged(answer, size=Log.objects.get(organisation=log[0], book=log[1]).size)
        if isinstance(told, Contradicted):
            contradictions.append(Contradiction(*log, witness, str(told)))
        _keep(log, question.size, witness, told)
    return contradictions


def judged(answer: Answer, *, size: int) -> Answer:
    """Return what an answer comes to, where a log has so many leaves signed by now."""
    # A size alone says little while another of our workers asks too.
    if not isinstance(answer, SeenAt):
        return answer
    if answer.size > size:
        return Contradicted(f"It has cosigned {answer.size:,} entries, and {size:,} are here.")
    return Silent("It names another size each time that it is asked.")


def _attempts(asked: Iterable[tuple[Question, int]], *, is_second: bool = False) -> list[_Attempt]:
    attempts = []
    for question, old in asked:
        try:
            proof = question.consistency(old)
        except Exception as error:  # whatever it is, the other logs are cosigned
            facts = {"log": str(question.subject), "reason": in_words(error)}
            logger.error("no proof for witnesses", extra=facts)
        else:
            attempts.append(_Attempt(question, old, proof, is_second))
    return attempts


def _ask(witness: Witness, attempts: Sequence[_Attempt], end: float) -> Answers:
    answers: Answers = []
    for attempt in attempts:
        if time.monotonic() > end:
            break
        answer = _answer(witness, attempt)
        answers.append((attempt, answer))
        if isinstance(answer, Silent):
            break
    return answers


def _answer(witness: Witness, attempt: _Attempt) -> Answer:
    try:
        return add_checkpoint(witness, attempt.question.note, old=attempt.old, proof=attempt.proof)
    except NotCosigned as refusal:
        return refusal


def _unsigned(policy: Policy) -> dict[Witness, list[Question]]:
    by_vkey = {str(witness.key): witness for witness in policy.witnesses}
    asked: dict[Witness, list[Question]] = {witness: [] for witness in policy.witnesses}
    hurried = [State.COSIGNED, State.SILENT]
    with connection.cursor() as cursor:
        since = datetime.now(UTC) - PATIENCE
        cursor.execute(UNSIGNED, [list(by_vkey), PUBLIC, hurried, since])
        rows = cursor.fetchall()
    for organisation_id, book, size, note, vkey, cosigned_size in rows:
        questions = asked[by_vkey[vkey]]
        if len(questions) < LOGS_A_RUN:
            subject, parsed = _BookLog(organisation_id, book), notes.parse_note(note.encode())
            proofs = _proofs(subject, size)
            questions.append(Question(subject, parsed, size, proofs, cosigned_size))
    return {witness: questions for witness, questions in asked.items() if questions}


def _proofs(log: _BookLog, size: int) -> Callable[[int], Sequence[bytes]]:
    tree = Log(organisation_id=log.organisation_id, book=log.book).tiles()
    return lambda old: tree.consistency(old, size)


def _keep(log: _BookLog, size: int, witness: Witness, answer: Answer) -> None:
    state, problem, signed_at = State.COSIGNED, "", None
    if isinstance(answer, Cosigned):
        signed_at = datetime.fromtimestamp(answer.unix_time, UTC)
        signed = Cosignature(
            organisation_id=log.organisation_id,
            book=log.book,
            size=size,
            witness=str(witness.key),
            line=answer.line,
            signed_at=signed_at,
        )
        # Another worker may have asked at the same time.
        Cosignature.objects.bulk_create([signed], ignore_conflicts=True)
    else:
        state, problem = STATES[type(answer)], str(answer)
    with connection.cursor() as cursor:
        now = datetime.now(UTC)
        values = [*log, str(witness.key), state, problem, now, now, signed_at]
        cursor.execute(KEEP_ANSWER, values)
