"""Files that browsers send: streamed to the disk, and no further than the largest we take."""

from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

BYTES_MAX = 10 * 2**20


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Keeps a file in a temporary one; of a larger one the form sees nothing."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write what came, or stop listening."""
        if start + len(raw_data) > BYTES_MAX:
            self.file.close()
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)
