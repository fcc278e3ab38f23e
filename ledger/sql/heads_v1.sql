-- The log of the instance: its leaves are the bodies of the public books' checkpoints, so that one
-- checkpoint of it vouches for every book. It only grows, for any client, like the books' own logs.

-- The one key that signs it, encrypted; no organisation's.
CREATE TABLE ledger_headskey (
    vkey text PRIMARY KEY CHECK (vkey LIKE '%/log/heads+%'),
    algorithm text NOT NULL DEFAULT 'ed25519',
    encrypted_seed bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX headskey_is_the_only_one ON ledger_headskey ((true));

-- How many leaves the tiles have, in the one row there is; it is locked while the log grows.
CREATE TABLE ledger_headslog (
    is_ours boolean PRIMARY KEY DEFAULT true CHECK (is_ours),
    size bigint NOT NULL DEFAULT 0
);

-- A leaf: the three lines that a book's key signed. Of each book there is one body of a size.
CREATE TABLE ledger_headsleaf (
    sequence bigint PRIMARY KEY CHECK (sequence >= 0),
    body text NOT NULL CHECK (
        body ~ '^[^[:space:]]+/log/[^/[:space:]]+\n[1-9][0-9]{0,15}\n[A-Za-z0-9+/]{43}=\n$'
    ),
    organisation_id text NOT NULL GENERATED ALWAYS AS (
        split_part(split_part(body, E'\n', 1), '/log/', 2)
    ) STORED,
    size bigint NOT NULL GENERATED ALWAYS AS (split_part(body, E'\n', 2)::bigint) STORED,
    UNIQUE (organisation_id, size)
);

CREATE TABLE ledger_headstile (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 6),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (
        octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0
    ),
    PRIMARY KEY (level, number)
);
ALTER TABLE ledger_headstile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger_headscheckpoint (
    size bigint PRIMARY KEY CHECK (size BETWEEN 1 AND 9007199254740991),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT headscheckpoint_says_its_size_and_root CHECK (
        split_part(note, E'\n', 2) = size::text
        AND split_part(note, E'\n', 3) = encode(root, 'base64')
    )
);

-- What a time stamper answered about a checkpoint (RFC 3161), as it came.
CREATE TABLE ledger_headstimestamp (
    size bigint PRIMARY KEY REFERENCES ledger_headscheckpoint (size),
    response bytea NOT NULL CHECK (octet_length(response) BETWEEN 1 AND 65536),
    stamped_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);

-- What was signed of a book: the first three lines of a checkpoint's note.
CREATE FUNCTION ledger_body_v1(note text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_to_string((string_to_array(note, E'\n'))[1:3], E'\n') || E'\n'
$$;

-- The leaves of a stretch of the log, tile by tile (RFC 9162 §2.1.1).
CREATE FUNCTION ledger_heads_leaves_v1(
    since bigint, until bigint, OUT number bigint, OUT hashes bytea
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sequence / 256,
        string_agg(sha256('\x00'::bytea || convert_to(body, 'UTF8')), ''::bytea ORDER BY sequence)
    FROM public.ledger_headsleaf WHERE sequence >= since AND sequence < until
    GROUP BY sequence / 256 ORDER BY sequence / 256
$$;

-- The bodies that public books have signed and the log has not, in the order of their signing.
CREATE FUNCTION ledger_heads_missing_v1(
    OUT organisation_id text, OUT size bigint, OUT body text, OUT sealed_at timestamptz
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT signed.organisation_id, signed.size, public.ledger_body_v1(signed.note),
        -- A clock that was set back does not change the order within a book.
        max(signed.sealed_at) OVER (PARTITION BY signed.organisation_id ORDER BY signed.size)
            AS sealed
    FROM public.organisations_organisation AS organisation
    CROSS JOIN LATERAL (
        SELECT coalesce(max(leaf.size), 0) AS size FROM public.ledger_headsleaf AS leaf
        WHERE leaf.organisation_id = organisation.id
    ) AS there
    JOIN public.ledger_checkpoint AS signed
        ON signed.organisation_id = organisation.id AND signed.book = 'public'
        AND signed.size > there.size
    WHERE organisation.status = 'approved'
    ORDER BY sealed, signed.organisation_id, signed.size
$$;

-- Refuses a leaf that is not the next one, or goes back in its book.
CREATE FUNCTION ledger_guard_headsleaf_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.sequence > 0 AND NOT EXISTS (
        SELECT FROM public.ledger_headsleaf WHERE sequence = NEW.sequence - 1
    ) OR EXISTS (
        SELECT FROM public.ledger_headsleaf
        WHERE organisation_id = split_part(split_part(NEW.body, E'\n', 1), '/log/', 2)
            AND size > split_part(NEW.body, E'\n', 2)::numeric
    ) THEN
        RAISE EXCEPTION 'the leaf % does not go on from the log of heads', NEW.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ledger_guard_headsleaf BEFORE INSERT ON ledger_headsleaf
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_headsleaf_v1();
ALTER TABLE ledger_headsleaf ENABLE ALWAYS TRIGGER ledger_guard_headsleaf;

CREATE TRIGGER ledger_guard_headstile BEFORE UPDATE ON ledger_headstile FOR EACH ROW
    WHEN (
        (NEW.level, NEW.number) IS DISTINCT FROM (OLD.level, OLD.number)
        OR substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes
    )
    EXECUTE FUNCTION ledger_refuse_tile_v1();
ALTER TABLE ledger_headstile ENABLE ALWAYS TRIGGER ledger_guard_headstile;

-- Refuses a checkpoint that is not larger than the last one, or larger than the log.
CREATE FUNCTION ledger_guard_headscheckpoint_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.ledger_headscheckpoint WHERE size > NEW.size)
        OR NOT EXISTS (SELECT FROM public.ledger_headsleaf WHERE sequence = NEW.size - 1)
    THEN
        RAISE EXCEPTION 'a checkpoint of % leaves is not the next one of this log', NEW.size
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ledger_guard_headscheckpoint BEFORE INSERT ON ledger_headscheckpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_headscheckpoint_v1();
ALTER TABLE ledger_headscheckpoint ENABLE ALWAYS TRIGGER ledger_guard_headscheckpoint;

-- Refuses a log that gets shorter.
CREATE TRIGGER ledger_guard_headslog BEFORE UPDATE ON ledger_headslog FOR EACH ROW
    WHEN (NEW.is_ours IS DISTINCT FROM OLD.is_ours OR NEW.size < OLD.size)
    EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_headslog ENABLE ALWAYS TRIGGER ledger_guard_headslog;

CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_headslog
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_headstile
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_headsleaf
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_headscheckpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_headstimestamp
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_headskey
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headslog
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headstile
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headsleaf
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headscheckpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headstimestamp
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headskey
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_headslog ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headstile ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headsleaf ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headscheckpoint ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headstimestamp ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headskey ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headslog ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_headstile ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_headsleaf ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_headscheckpoint ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_headstimestamp ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_headskey ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

REVOKE ALL ON ledger_headskey, ledger_headslog, ledger_headsleaf, ledger_headstile,
    ledger_headscheckpoint, ledger_headstimestamp FROM PUBLIC, {application};
GRANT SELECT ON ledger_headskey, ledger_headslog, ledger_headsleaf, ledger_headstile,
    ledger_headscheckpoint, ledger_headstimestamp TO {application};
GRANT INSERT ON ledger_headskey, ledger_headscheckpoint, ledger_headstimestamp TO {application};
GRANT INSERT (is_ours), UPDATE (size) ON ledger_headslog TO {application};
GRANT INSERT (sequence, body) ON ledger_headsleaf TO {application};
GRANT INSERT, UPDATE (hashes) ON ledger_headstile TO {application};
