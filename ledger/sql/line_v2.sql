-- The canonical line again, faster for what nearly all lines are: plain ASCII that needs no
-- escapes, with flat metadata of text. About everything else ledger_line_v1 decides.

-- Flat metadata of at most four texts as {"key":"value",...}, or NULL: not for this fast way.
--
-- jsonb writes its text canonically but for the order of the keys, which is by length first, and
-- for a space after each key and between the pairs: 2n - 1 spaces, and if more than those vanish
-- here, one was inside of a value.
CREATE FUNCTION ledger_metadata_v2(metadata jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    spaced text := metadata::text;
    written text := replace(replace(spaced, '": ', '":'), ', "', ',"');
    keys jsonb;
    count integer;
BEGIN
    IF spaced = '{}' THEN
        RETURN spaced;
    ELSIF jsonb_typeof(metadata) <> 'object' THEN
        RETURN NULL;
    END IF;
    keys := jsonb_path_query_array(metadata, 'strict $.keyvalue() ? (@.value.type() == "string").key');
    count := jsonb_array_length(keys);
    IF count BETWEEN 1 AND 4 AND length(spaced) - length(written) = 2 * count - 1
        AND strpos(spaced, chr(92)) = 0 AND octet_length(spaced) = length(spaced)
        AND strpos(spaced, chr(127)) = 0
        AND keys::text ~ '^[[]"[a-z0-9_]+"(, "[a-z0-9_]+")*[]]$'
        AND (count < 2 OR (keys ->> 0) COLLATE "C" < (keys ->> 1))
        AND (count < 3 OR (keys ->> 1) COLLATE "C" < (keys ->> 2))
        AND (count < 4 OR (keys ->> 2) COLLATE "C" < (keys ->> 3)) THEN
        RETURN written;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION ledger_line_v2(
    organisation_id text, book text, sequence bigint, entry_id text, operation text,
    amount bigint, currency text, debit text, credit text, nonce text, metadata jsonb,
    occurred_at timestamptz, recorded_at timestamptz, prev_entry_hash text
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    texts text := organisation_id || book || entry_id || operation || currency || debit || credit
        || nonce || prev_entry_hash;
BEGIN
    IF to_json(texts)::text = '"' || texts || '"' AND octet_length(texts) = length(texts)
        AND strpos(texts, chr(127)) = 0
        AND occurred_at BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
        AND recorded_at BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
    THEN
        texts := '{"amount":' || amount
            || ',"book":"' || book
            || '","credit":"' || credit
            || '","currency":"' || currency
            || '","debit":"' || debit
            || '","entry_id":"' || entry_id
            || '","metadata":' || public.ledger_metadata_v2(metadata)
            || ',"nonce":"' || nonce
            || '","occurred_at":"' || to_char(occurred_at AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || '","operation":"' || operation
            || '","organisation_id":"' || organisation_id
            || '","prev_entry_hash":"' || prev_entry_hash
            || '","recorded_at":"' || to_char(recorded_at AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || '","sequence":' || sequence
            || ',"version":1}';
        IF texts IS NOT NULL THEN
            RETURN texts;
        END IF;
    END IF;
    RETURN public.ledger_line_v1(
        organisation_id, book, sequence, entry_id, operation, amount, currency, debit, credit,
        nonce, metadata, occurred_at, recorded_at, prev_entry_hash
    );
END
$$;
