-- What all web processes must count together, such as failed sign-ins: the table of Django's
-- database cache, which `createcachetable` would make as the role that must not own tables.
CREATE TABLE organisations_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX organisations_cache_expires ON organisations_cache (expires);
