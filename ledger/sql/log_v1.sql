-- The transparency log of each book: the tiles of its tree and the checkpoints that were signed.
-- Both only grow, for any client: a tile by hashes at its end, the checkpoints by larger ones.

-- How many entries the tiles have; its row is locked while the log is sealed.
CREATE TABLE ledger_log (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    size bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, book),
    FOREIGN KEY (organisation_id, book) REFERENCES ledger_book (organisation_id, book)
);

-- A tile of tlog-tiles: up to 256 hashes, one after the other. Partial ones are its beginnings.
CREATE TABLE ledger_tile (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 6),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (
        octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0
    ),
    PRIMARY KEY (organisation_id, book, level, number),
    FOREIGN KEY (organisation_id, book) REFERENCES ledger_log (organisation_id, book)
);
-- Hashes do not compress.
ALTER TABLE ledger_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger_checkpoint (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    size bigint NOT NULL CHECK (size BETWEEN 1 AND 9007199254740991),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, book, size),
    FOREIGN KEY (organisation_id, book) REFERENCES ledger_log (organisation_id, book),
    CONSTRAINT checkpoint_says_its_size_and_root CHECK (
        split_part(note, E'\n', 2) = size::text
        AND split_part(note, E'\n', 3) = encode(root, 'base64')
    )
);

-- The leaves of a stretch of a book, tile by tile (RFC 9162 §2.1.1).
CREATE FUNCTION ledger_leaves_v1(
    of_organisation text, of_book text, since bigint, until bigint,
    OUT number bigint, OUT hashes bytea
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sequence / 256,
        string_agg(sha256('\x00'::bytea || convert_to(line, 'UTF8')), ''::bytea ORDER BY sequence)
    FROM public.ledger_entry
    WHERE organisation_id = of_organisation AND book = of_book
        AND sequence >= since AND sequence < until
    GROUP BY sequence / 256 ORDER BY sequence / 256
$$;

-- Refuses a tile that does not begin with what was there.
CREATE FUNCTION ledger_refuse_tile_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a tile only gets longer' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ledger_guard_tile BEFORE UPDATE ON ledger_tile FOR EACH ROW
    WHEN (
        (NEW.organisation_id, NEW.book, NEW.level, NEW.number)
            IS DISTINCT FROM (OLD.organisation_id, OLD.book, OLD.level, OLD.number)
        OR substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes
    )
    EXECUTE FUNCTION ledger_refuse_tile_v1();
ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_guard_tile;

-- Refuses a checkpoint that is not larger than the last one, or larger than the book.
CREATE FUNCTION ledger_guard_checkpoint_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.ledger_checkpoint
        WHERE organisation_id = NEW.organisation_id AND book = NEW.book AND size > NEW.size
    ) OR NOT EXISTS (
        SELECT FROM public.ledger_book AS head
        WHERE organisation_id = NEW.organisation_id AND book = NEW.book AND head.size >= NEW.size
    ) THEN
        RAISE EXCEPTION 'a checkpoint of % entries is not the next one of this book', NEW.size
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ledger_guard_checkpoint BEFORE INSERT ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_checkpoint_v1();
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_guard_checkpoint;

-- Refuses a log that gets shorter.
CREATE TRIGGER ledger_guard_log BEFORE UPDATE ON ledger_log FOR EACH ROW
    WHEN (
        (NEW.organisation_id, NEW.book) IS DISTINCT FROM (OLD.organisation_id, OLD.book)
        OR NEW.size < OLD.size
    )
    EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_log ENABLE ALWAYS TRIGGER ledger_guard_log;

CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_log
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_log
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_tile
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_tile
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_log ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_log ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_refuse_truncate;
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

REVOKE ALL ON ledger_log, ledger_tile, ledger_checkpoint FROM PUBLIC, {application};
GRANT SELECT ON ledger_log, ledger_tile, ledger_checkpoint TO {application};
GRANT INSERT (organisation_id, book), UPDATE (size) ON ledger_log TO {application};
GRANT INSERT, UPDATE (hashes) ON ledger_tile TO {application};
GRANT INSERT ON ledger_checkpoint TO {application};
