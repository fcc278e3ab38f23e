"""What staff take with them is in the trail."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from organisations.models import User
from reviews.models import Case


def record_export(*, by: User, title: str) -> None:
    """Keep that somebody saved figures or cases as a file."""
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Case),
        object_repr=title,
        action_flag=CHANGE,
        change_message="saved as CSV",
    )
