"""What `manage.py check`, and with it every start, says of signing in and of an operator's mail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Error, register
from django.template import TemplateSyntaxError, engines


@register
def check_second_factor(app_configs: Any, **options: Any) -> list[Error]:
    """Refuse to leave real money behind passwords alone."""
    if settings.REQUIRE_SECOND_FACTOR or not settings.STRIPE_LIVEMODE:
        return []
    text = "REQUIRE_SECOND_FACTOR is off, but STRIPE_SECRET_KEY is a live key."
    hint = "Remove REQUIRE_SECOND_FACTOR from the environment, or use a test key."
    return [Error(text, hint=hint, id="organisations.E001")]


@register
def check_mail_templates(app_configs: Any, **options: Any) -> list[Error]:
    """Refuse an operator's texts of mail that could not be sent when the time comes."""
    if not settings.MAIL_TEMPLATES_DIR:
        return []
    folder = Path(settings.MAIL_TEMPLATES_DIR)
    if not folder.is_dir():
        return [_wrong(folder, "there is no such folder", "Make it, or leave the setting out.")]
    return [error for path in sorted(folder.iterdir()) for error in _check_text(path)]


def _check_text(path: Path) -> Iterator[Error]:
    shipped = settings.BASE_DIR / "templates" / "mail"
    if not (shipped / path.name).is_file():
        yield _wrong(path, "no mail has this name", f"Take one of those in {shipped}.")
        return
    try:
        text = path.read_text(encoding="utf-8")
        engines["mail"].from_string(text)
    except (TemplateSyntaxError, OSError, ValueError) as error:
        yield _wrong(path, f"it cannot be read ({error})", "Correct it as a Django template.")
        return
    if "Subject: " not in text.partition("\n")[0]:
        yield _wrong(path, "its first line is no subject", "Begin it with “Subject: ”.")


def _wrong(path: Path, words: str, hint: str) -> Error:
    return Error(f"MAIL_TEMPLATES_DIR: {path}: {words}.", hint=hint, id="organisations.E002")
