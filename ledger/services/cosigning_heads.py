"""The heads log's checkpoints, which witnesses sign like those of the books."""

import logging
from datetime import UTC, datetime

from django.db.models import Max

from ledger import notes
from ledger.models import HeadsCheckpoint, HeadsCosignature, HeadsLog
from ledger.policy import Policy, Witness
from ledger.services.cosigning import Contradiction, Question, ask_witnesses, judged
from ledger.witness_client import Contradicted, Cosigned

logger = logging.getLogger("almoner.ledger")
HEADS = "heads"


def collect_heads_cosignatures(*, policy: Policy) -> list[Contradiction]:
    """Ask the policy's witnesses for the newest checkpoint; return who has seen another log."""
    newest = HeadsLog().checkpoints().first()
    if newest is None:
        return []
    contradictions = []
    questions = {witness: [question] for witness, question in _unsigned(policy, newest).items()}
    for witness, _question, answer in ask_witnesses(questions):
        told = judged(answer, size=HeadsLog.objects.get().size)
        if isinstance(told, Cosigned):
            _keep(newest, witness, told)
        elif isinstance(told, Contradicted):
            contradictions.append(Contradiction("", HEADS, witness, str(told)))
        else:
            facts = {"witness": witness.name, "reason": str(told)}
            logger.info("the heads were not cosigned", extra=facts)
    return contradictions


def _unsigned(policy: Policy, newest: HeadsCheckpoint) -> dict[Witness, Question]:
    rows = HeadsCosignature.objects.values_list("witness").annotate(Max("checkpoint_id"))
    signed = dict(rows.values_list("witness", "checkpoint_id__max"))
    note, tree = notes.parse_note(newest.note.encode()), HeadsLog().tiles()
    return {
        witness: Question(
            HEADS, note, newest.size, lambda old: tree.consistency(old, newest.size), size
        )
        for witness in policy.witnesses
        if (size := signed.get(str(witness.key), 0)) < newest.size
    }


def _keep(checkpoint: HeadsCheckpoint, witness: Witness, answer: Cosigned) -> None:
    signed = HeadsCosignature(
        checkpoint=checkpoint,
        witness=str(witness.key),
        line=answer.line,
        signed_at=datetime.fromtimestamp(answer.unix_time, UTC),
    )
    # Another worker may have asked at the same time.
    HeadsCosignature.objects.bulk_create([signed], ignore_conflicts=True)
