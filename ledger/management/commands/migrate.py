"""Django's `migrate`, as the owner role, for tables that the application's role will use."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections

from common.sql import application_role

RIGHTS = """
    ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{role}";
    ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO "{role}";
    GRANT USAGE ON SCHEMA public TO "{role}";
"""


class Command(migrate.Command):
    """
    Migrate as the owner.

    New tables are open to the application's role; those of the ledger take back what it must
    not do (`ledger/sql/guards_v1.sql`).
    """

    def add_arguments(self, parser: CommandParser) -> None:
        """Migrate the database through the owner's connection unless told otherwise."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the rights that new tables are made with, then migrate."""
        with connections[options["database"]].cursor() as cursor:
            cursor.execute(RIGHTS.format(role=application_role()))
        super().handle(*args, **options)
