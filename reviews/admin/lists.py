"""Lists of sanctions: which are read, which are too old, and what is done about it."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.admin import ReadOnlyAdmin
from reviews.models import SanctionList


@dataclass(frozen=True, slots=True)
class State:
    """How a list stands in words, how that presses (`good`, `wait`, `bad`), and what to do."""

    name: str
    words: str
    press: str = "good"
    remedy: str = ""


def state_of(kept: SanctionList) -> State:
    """Return how a publisher's list stands; one that is not configured presses nobody."""
    is_failing = kept.is_too_old or kept.failing_since is not None
    words = "never read"
    if kept.imported_at:
        since, day = f"not read since {_date(kept.imported_at)}", f"read {_day(kept.imported_at)}"
        words = f"{since if is_failing else day}, {kept.entries:,} parties"
    if kept.source not in settings.SANCTION_LISTS:
        return State(f"{kept}", f"{words}; not in use, for SANCTION_LISTS does not name it", "")
    if not is_failing:
        return State(f"{kept}", words)
    return State(f"{kept}", words, "bad" if kept.is_too_old else "wait", _remedy(kept))


def troubled() -> list[State]:
    """Return the configured lists that somebody must do something about."""
    known = SanctionList.objects.in_bulk(settings.SANCTION_LISTS)
    configured = (known.get(each) or SanctionList(source=each) for each in settings.SANCTION_LISTS)
    return [state for state in map(state_of, configured) if state.remedy]


def _remedy(kept: SanctionList) -> SafeString:
    why = f"{kept.error.rstrip('.')}. " if kept.error else ""
    meanwhile = "Until then screenings that find nothing are errors."
    if kept.use_until and not kept.is_too_old:
        meanwhile = f"What was read before is in use until {_date(kept.use_until)}."
    return format_html(
        "{}Load its newest files: <code>manage.py load_sanctions --list {}</code> "
        "(docs/sanctions.md). {}",
        *(why, kept.source, meanwhile),
    )


def _day(moment: datetime) -> str:
    """Return the day of a moment after a verb: today, yesterday, on 3 November 2026."""
    days = (timezone.now().date() - moment.date()).days
    return {0: "today", 1: "yesterday"}.get(days, f"on {_date(moment)}")


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


@admin.register(SanctionList)
class SanctionListAdmin(ReadOnlyAdmin[SanctionList]):
    """The lists that were loaded, or could not be; above them what to do about those that fail."""

    change_list_template = "admin/reviews/sanctionlist/lists.html"
    list_display = ["source", "state", "published_on", "imported_at"]
    ordering = ["source"]
    fields = [
        "source",
        "state",
        "remedy",
        "published_on",
        "imported_at",
        "entries",
        "sha256",
        "failing_since",
        "error",
    ]
    readonly_fields = ["state", "remedy"]

    @admin.display(description="State")
    def state(self, kept: SanctionList) -> SafeString:
        """Return how the list stands."""
        state = state_of(kept)
        look = f" tag--{state.press}" if state.press else ""
        return format_html('<span class="tag{}">{}</span>', look, state.words)

    @admin.display(description="What to do")
    def remedy(self, kept: SanctionList) -> str:
        """Return what somebody must do about it."""
        return state_of(kept).remedy or "Nothing."
