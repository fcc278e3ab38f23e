"""
Connections from a pool, checked without a round trip.

With Django's `CONN_HEALTH_CHECKS` the pool sends an empty query at every checkout: a round trip
more for each request that asks the database. A server that ends a connection says so, or closes it;
so one on which nothing waits to be read is as good as one that has just answered.
"""

from contextlib import suppress
from select import POLLIN, poll
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection to PostgreSQL, which is alive when a request gets it."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection from the pool that its server has not given up."""
        connection = super().get_new_connection(conn_params)
        while not is_alive(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def is_alive(connection: Connection) -> bool:
    """Tell whether an idle connection has its server still, which is asked only if it spoke."""
    with suppress(OperationalError):
        waiting = poll()
        waiting.register(connection.fileno(), POLLIN)
        if waiting.poll(0):
            ConnectionPool.check_connection(connection)
        return True
    return False
