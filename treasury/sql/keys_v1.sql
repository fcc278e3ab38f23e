-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it;
-- a transaction that is called booked has its entry.
ALTER TABLE treasury_balancetransaction
    DROP CONSTRAINT treasury_balancetransaction_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD COLUMN book text NOT NULL GENERATED ALWAYS AS ('public') STORED,
    ADD CONSTRAINT transaction_stands_in_the_ledger
        FOREIGN KEY (organisation_id, book, sequence)
        REFERENCES ledger_entry (organisation_id, book, sequence);
