"""
Object stores as places for static logs: S3, and what speaks like it.

Imports django-storages and boto3, which only `requirements-s3.txt` installs. Keys, region and
endpoint come from the environment, by the names that Amazon's own tools read.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from ledger.log import BYTES, FOR_EVER, FOR_SECONDS, TEXT


class ObjectStore(S3Storage):  # type: ignore[misc]  # it has no types
    """A bucket, below a prefix; fails with `OSError`, as folders do."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """Leave keys, region and endpoint to the environment."""
        super().__init__(bucket_name=bucket, location=prefix)

    def get_object_parameters(self, name: str) -> dict[str, str]:
        """
        Return what servers tell of a file: its type, and how long it is good.

        A partial tile never changes either, but nobody asks for it once the log has grown.
        """
        if name.endswith("/checkpoint"):
            return {"CacheControl": FOR_SECONDS, "ContentType": TEXT}
        return {"CacheControl": FOR_SECONDS if ".p/" in name else FOR_EVER, "ContentType": BYTES}

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with failing_as_folders_do(), super()._open(name, mode) as file:
            return ContentFile(file.read())

    def _save(self, name: str, content: File[bytes]) -> str:
        with failing_as_folders_do():
            return str(super()._save(name, content))


@contextmanager
def failing_as_folders_do() -> Iterator[None]:
    """Turn every failure of the store into an `OSError` that says what to look at."""
    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise OSError(f"{error} See docs/mirrors.md: keys, endpoint, rights.") from error
