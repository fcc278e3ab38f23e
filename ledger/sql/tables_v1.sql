-- Books, accounts, entries: what the database guarantees by declaration alone, for any client.
-- Every key starts with organisation_id and none is deferrable, so that the tables can be
-- distributed by organisation and the rules hold for COPY and bulk inserts alike.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'The ledger hashes UTF-8: create the database with ENCODING ''UTF8''.';
    END IF;
END
$$;

CREATE TABLE ledger_book (
    organisation_id varchar(32) NOT NULL REFERENCES organisations_organisation (id),
    book text NOT NULL CHECK (book ~ '^[a-z][a-z0-9_]{0,31}$'),
    size bigint NOT NULL DEFAULT 0,
    head_hash text,
    -- Means nothing: SELECT … FOR UPDATE asks for the right to update at least one column.
    lock boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organisation_id, book)
);

CREATE TABLE ledger_account (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    currency text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
    -- What kind of account it is follows from its name, so nobody can open `owner:ann` as one
    -- that may be overdrawn, or money in the public book that is neither a place nor a purpose.
    kind text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN name IN ('genesis', 'genesis:end') THEN 'genesis'
            WHEN book <> 'public' THEN CASE WHEN name LIKE 'owner:_%' THEN 'owner' ELSE 'other' END
            WHEN name IN ('stripe', 'in_transit')
                OR name ~ '^(bank|reserve|onchain):[a-z0-9]+(-[a-z0-9]+)*$' THEN 'place'
            WHEN name IN ('held', 'external', 'unclassified')
                OR name ~ '^fund:[a-z0-9]+(-[a-z0-9]+)*$' THEN 'purpose'
        END
    ) STORED,
    debits bigint NOT NULL DEFAULT 0 CHECK (debits BETWEEN 0 AND 9007199254740991),
    credits bigint NOT NULL DEFAULT 0 CHECK (credits BETWEEN 0 AND 9007199254740991),
    PRIMARY KEY (organisation_id, book, currency, name),
    FOREIGN KEY (organisation_id, book) REFERENCES ledger_book (organisation_id, book),
    CONSTRAINT account_kind_fits_its_currency CHECK ((kind = 'genesis') = (currency = 'XXX')),
    CONSTRAINT account_currency_fits_its_book CHECK (
        currency = 'XXX' OR CASE book WHEN 'public' THEN currency ~ '^[A-Z]{3}$' ELSE currency = 'CREDIT' END
    ),
    CONSTRAINT account_is_not_overdrawn CHECK (kind <> 'owner' OR credits >= debits)
);

CREATE TABLE ledger_entry (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence BETWEEN 0 AND 9007199254740991),
    entry_id text NOT NULL CHECK (entry_id ~ '^led_[0-7][0-9a-hjkmnp-tv-z]{25}$'),
    operation text NOT NULL CHECK (operation ~ '^[A-Z][A-Z0-9_]{0,47}$'),
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 9007199254740991),
    currency text NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    nonce text NOT NULL CHECK (length(nonce) BETWEEN 1 AND 255),
    metadata jsonb NOT NULL,
    occurred_at timestamptz(0) NOT NULL,
    recorded_at timestamptz(0) NOT NULL,
    prev_entry_hash text,
    entry_hash text NOT NULL,
    line text NOT NULL,
    -- Which entry this one stands on, and which it reverses.
    prev_sequence bigint GENERATED ALWAYS AS (sequence - 1) STORED,
    reverses bigint GENERATED ALWAYS AS (
        CASE WHEN operation = 'CORRECTION' THEN (metadata -> 'reverses')::bigint END
    ) STORED,

    PRIMARY KEY (organisation_id, book, sequence),
    CONSTRAINT entry_hash_stands_once UNIQUE (organisation_id, book, sequence, entry_hash),
    CONSTRAINT entry_follows_its_predecessor
        FOREIGN KEY (organisation_id, book, prev_sequence, prev_entry_hash)
        REFERENCES ledger_entry (organisation_id, book, sequence, entry_hash),
    CONSTRAINT entry_nonce_is_new UNIQUE (organisation_id, book, nonce),
    CONSTRAINT entry_id_is_new UNIQUE (organisation_id, entry_id),
    CONSTRAINT entry_is_reversed_once UNIQUE (organisation_id, book, reverses),
    CONSTRAINT entry_reverses_an_entry
        FOREIGN KEY (organisation_id, book, reverses)
        REFERENCES ledger_entry (organisation_id, book, sequence),
    CONSTRAINT entry_debits_an_account_of_its_book
        FOREIGN KEY (organisation_id, book, currency, debit)
        REFERENCES ledger_account (organisation_id, book, currency, name),
    CONSTRAINT entry_credits_an_account_of_its_book
        FOREIGN KEY (organisation_id, book, currency, credit)
        REFERENCES ledger_account (organisation_id, book, currency, name),

    CONSTRAINT entry_accounts_differ CHECK (debit <> credit),
    CONSTRAINT entry_moves_nothing_without_a_currency CHECK (currency <> 'XXX' OR amount = 0),
    CONSTRAINT entry_genesis_is_first CHECK (
        CASE sequence
            WHEN 0 THEN operation = 'GENESIS' AND prev_entry_hash IS NULL AND currency = 'XXX'
                AND debit = 'genesis' AND credit = 'genesis:end' AND nonce = 'genesis'
            ELSE operation <> 'GENESIS' AND prev_entry_hash IS NOT NULL
        END
    ),
    CONSTRAINT entry_reverses_an_earlier_one CHECK (
        operation <> 'CORRECTION' OR (reverses BETWEEN 1 AND sequence - 1) IS TRUE
    ),
    CONSTRAINT entry_fits_16384_bytes CHECK (octet_length(line) <= 16384),
    CONSTRAINT entry_line_is_canonical CHECK (
        (line = ledger_line_v1(
            organisation_id, book, sequence, entry_id, operation, amount, currency, debit, credit,
            nonce, metadata, occurred_at, recorded_at, prev_entry_hash
        )) IS TRUE
    ),
    CONSTRAINT entry_hash_is_of_its_line CHECK (entry_hash = ledger_hash_v1(line))
);

-- One Ed25519 key per organisation: the public half is in the genesis line.
CREATE TABLE ledger_signingkey (
    organisation_id varchar(32) NOT NULL REFERENCES organisations_organisation (id),
    vkey text NOT NULL,
    algorithm text NOT NULL,
    encrypted_seed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, vkey)
);

-- For the admin, which takes no composite keys.
CREATE VIEW ledger_entrylisting AS
    SELECT organisation_id || '/' || book || '/' || sequence AS id,
        organisation_id, book, sequence, entry_id, operation, amount, currency, debit, credit,
        nonce, metadata, occurred_at, recorded_at, prev_entry_hash, entry_hash, line
    FROM ledger_entry;
CREATE VIEW ledger_booklisting AS
    SELECT organisation_id || '/' || book AS id, organisation_id, book, size, head_hash
    FROM ledger_book;

-- What pages ask for: the entries of one gift, and the operations that are rare among a million.
CREATE INDEX entry_by_donation ON ledger_entry (organisation_id, book, (metadata -> 'donation'))
    WHERE (metadata -> 'donation') IS NOT NULL;
CREATE INDEX entry_by_rare_operation ON ledger_entry (organisation_id, book, operation, sequence)
    WHERE book = 'public' AND operation NOT IN ('DONATION_RECEIVED', 'PROCESSING_FEE');
