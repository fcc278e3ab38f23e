-- The two roles and the database, on a PostgreSQL (15 or newer) of your own. As superuser:
--   psql -v owner_password=… -v application_password=… -f deploy/roles.sql
-- The owner migrates and does nothing else. The application owns nothing, so that the ledger's
-- guards bind it; what it may do with each table the migrations say.

CREATE ROLE almoner_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE almoner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'application_password';

CREATE DATABASE almoner OWNER almoner_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE almoner FROM PUBLIC;
-- The server's log quotes no rows and no statements: they may name persons.
ALTER DATABASE almoner SET log_error_verbosity = terse;
ALTER DATABASE almoner SET log_min_error_statement = panic;
GRANT CONNECT ON DATABASE almoner TO almoner;

\connect almoner
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO almoner;
