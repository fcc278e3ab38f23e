"""Django's database backend for PostgreSQL, with a pool that asks no question at every checkout."""
