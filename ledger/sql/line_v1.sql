-- The canonical line of an entry, rebuilt from its columns: what the CHECK on ledger_entry
-- compares with the line that is stored. Python (ledger/line.py) and these functions canonicalise
-- independently; where they disagree nothing is written.
--
-- Within the strict profile to_json() escapes exactly as RFC 8785 does, and keys of [a-z0-9_]
-- sorted by bytes are sorted by UTF-16 code units. NULL means: outside the profile.
--
-- Nothing that a session can set may change the answer. A time zone by name could (TimeZone = 'UTC5'
-- makes 'UTC' mean five hours west), so it is an interval; a temporary type named `text` could, so
-- pg_temp is searched last.

-- One level of metadata: {"key":value,...} or NULL.
CREATE FUNCTION ledger_metadata_v1(metadata jsonb, is_inner boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written text := '';
    item_key text;
    item jsonb;
    piece text;
BEGIN
    IF jsonb_typeof(metadata) <> 'object' THEN
        RETURN NULL;
    END IF;
    FOR item_key, item IN
        SELECT key, value FROM jsonb_each(metadata) ORDER BY key COLLATE "C"
    LOOP
        IF item_key !~ '^[a-z0-9_]+$' THEN
            RETURN NULL;
        END IF;
        CASE jsonb_typeof(item)
            WHEN 'string' THEN
                piece := to_json(item #>> '{}')::text;
                IF (item #>> '{}') COLLATE "C" ~ E'[\u0001-\u001f\u007f-\u009f]' THEN
                    RETURN NULL;
                END IF;
            WHEN 'number' THEN
                piece := item::text;
                IF piece !~ '^(0|-?[1-9][0-9]{0,15})$'
                    OR piece::bigint NOT BETWEEN -9007199254740991 AND 9007199254740991 THEN
                    RETURN NULL;
                END IF;
            WHEN 'boolean' THEN
                piece := item::text;
            WHEN 'object' THEN
                IF is_inner THEN
                    RETURN NULL;
                END IF;
                piece := public.ledger_metadata_v1(item, true);
                IF piece IS NULL THEN
                    RETURN NULL;
                END IF;
            ELSE
                RETURN NULL;
        END CASE;
        written := written || ',' || to_json(item_key)::text || ':' || piece;
    END LOOP;
    RETURN '{' || substr(written, 2) || '}';
END
$$;

CREATE FUNCTION ledger_line_v1(
    organisation_id text, book text, sequence bigint, entry_id text, operation text,
    amount bigint, currency text, debit text, credit text, nonce text, metadata jsonb,
    occurred_at timestamptz, recorded_at timestamptz, prev_entry_hash text
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line text;
BEGIN
    IF (organisation_id || book || entry_id || operation || currency || debit || credit || nonce)
            COLLATE "C" ~ E'[\u0001-\u001f\u007f-\u009f]'
        OR occurred_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
        OR recorded_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
    THEN
        RETURN NULL;
    END IF;
    line := '{"amount":' || amount
        || ',"book":' || to_json(book)::text
        || ',"credit":' || to_json(credit)::text
        || ',"currency":' || to_json(currency)::text
        || ',"debit":' || to_json(debit)::text
        || ',"entry_id":' || to_json(entry_id)::text
        || ',"metadata":' || public.ledger_metadata_v1(metadata, false)
        || ',"nonce":' || to_json(nonce)::text
        || ',"occurred_at":"' || to_char(occurred_at AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        || '","operation":' || to_json(operation)::text
        || ',"organisation_id":' || to_json(organisation_id)::text
        || ',"prev_entry_hash":' || coalesce(to_json(prev_entry_hash)::text, 'null')
        || ',"recorded_at":"' || to_char(recorded_at AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        || '","sequence":' || sequence
        || ',"version":1}';
    IF octet_length(line) <> length(line) AND line IS NOT NFC NORMALIZED THEN
        RETURN NULL;
    END IF;
    RETURN line;
END
$$;

-- The hash that a line must carry beside it.
CREATE FUNCTION ledger_hash_v1(line text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN 'sha256:' || encode(sha256(convert_to(line, 'UTF8')), 'hex');
