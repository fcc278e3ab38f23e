"""Time stamps of the heads log: somebody else's word on when a checkpoint was there (RFC 3161)."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    decode_timestamp_response,
)

from common.posting import NotAnswered, post
from ledger.errors import TimestampRefused
from ledger.models import HeadsCheckpoint, HeadsLog, HeadsTimestamp

QUERY = "application/timestamp-query"
RESPONSE_BYTES_MAX = 65_536
SHA256 = "2.16.840.1.101.3.4.2.1"
# As it is, or with changes to what was asked that the checks below allow.
GRANTED = (0, 1)


class Stamp(NamedTuple):
    """An answer of a time stamper, as it came, and the moment in it."""

    response: bytes
    stamped_at: datetime


def timestamp_heads() -> HeadsTimestamp | None:
    """
    Have the newest checkpoint of the heads log time-stamped, once; None where nothing is signed.

    Whoever asks at the same time gets the first answer that was stored. Raises `TimestampRefused`.
    """
    checkpoint: HeadsCheckpoint | None = HeadsLog().checkpoints().first()
    if checkpoint is None:
        return None
    stored = HeadsTimestamp.objects.filter(pk=checkpoint.pk).first()
    return stored or _stamp(checkpoint)


def _stamp(checkpoint: HeadsCheckpoint) -> HeadsTimestamp:
    stamp = _ask(checkpoint.note.encode())
    stored, _ = HeadsTimestamp.objects.get_or_create(
        checkpoint=checkpoint, defaults={**stamp._asdict(), "received_at": datetime.now(UTC)}
    )
    return stored


def _ask(note: bytes) -> Stamp:
    request = TimestampRequestBuilder(note, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    url = settings.LEDGER_TIMESTAMP_URL
    try:
        answer = post(url, request.as_bytes(), content_type=QUERY, bytes_max=RESPONSE_BYTES_MAX)
        return _check(answer, request, sha256(note).digest())
    except NotAnswered as error:
        raise TimestampRefused(str(error)) from error
    except ValueError as error:
        raise TimestampRefused(f"{url} answered with no time stamp: {error}.") from error


def _check(answer: bytes, request: TimeStampRequest, digest: bytes) -> Stamp:
    response = decode_timestamp_response(answer)
    if response.status not in GRANTED:
        words = "; ".join(response.status_string) or "it gives no reason"
        raise ValueError(f"it refuses with the status {response.status}: {words}")
    stamped = response.tst_info
    imprint = stamped.message_imprint
    if (imprint.hash_algorithm.dotted_string, imprint.message) != (SHA256, digest):
        raise ValueError("it stamps something else")
    if stamped.nonce != request.nonce:
        raise ValueError("it is the answer to another question")
    return Stamp(answer, stamped.gen_time)
