"""Plain SQL files as migration operations: what is shipped is never edited, `_v2` follows."""

import re
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import migrations

ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


def application_role() -> str:
    """Return the name of the role that the product runs as, checked: it goes into SQL as it is."""
    role = str(settings.DATABASES["default"]["USER"])
    if not ROLE.match(role):
        raise ValueError(f"{role!r} cannot be the application's database role: use a plain name.")
    return role


def run_sql(app: str, name: str) -> migrations.RunPython:
    """
    Return the operation that runs `<app>/sql/<name>.sql`.

    `{application}` in the file stands for the application's role.
    """

    def forwards(_apps: object, schema_editor: object) -> None:
        text = Path(apps.get_app_config(app).path, "sql", f"{name}.sql").read_text("utf-8")
        statements = text.replace("{application}", f'"{application_role()}"')
        schema_editor.connection.cursor().execute(statements)  # type: ignore[attr-defined]

    return migrations.RunPython(forwards, migrations.RunPython.noop)
