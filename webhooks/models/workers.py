"""The worker processes."""

from django.db import models


class Worker(models.Model):
    """A worker process and when it was last seen, so that /ready can tell."""

    name = models.CharField(primary_key=True, max_length=120)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the process."""
        return self.name
