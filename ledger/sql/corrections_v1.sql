-- What a correction must say beside what it reverses: why. It moves something back, so what moves
-- nothing (a genesis, an attestation, an erasure) is never corrected.
ALTER TABLE ledger_entry
    ADD CONSTRAINT entry_is_corrected_for_a_reason CHECK (
        operation <> 'CORRECTION' OR (
            jsonb_typeof(metadata -> 'reason') = 'string'
            AND btrim(metadata ->> 'reason') <> '' AND length(metadata ->> 'reason') <= 500
        ) IS TRUE
    ),
    ADD CONSTRAINT entry_is_corrected_if_it_moved CHECK (operation <> 'CORRECTION' OR amount > 0);
