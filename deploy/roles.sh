#!/bin/sh
# Runs once in a new postgres container: makes the two roles with the passwords of compose.yml.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  -v owner_password="$OWNER_PASSWORD" -v application_password="$APPLICATION_PASSWORD" \
  -f /almoner/roles.sql
