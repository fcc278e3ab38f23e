-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE donations_fund
    DROP CONSTRAINT donations_fund_pkey, ADD PRIMARY KEY (organisation_id, id);
ALTER TABLE donations_donation
    DROP CONSTRAINT donations_donation_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX donation_by_id ON donations_donation (id);

-- A gift is for a fund of its own organisation, and what it says of the ledger is there.
ALTER TABLE donations_donation
    ADD COLUMN book text NOT NULL GENERATED ALWAYS AS ('public') STORED,
    ADD CONSTRAINT donation_is_for_a_fund_of_its_organisation
        FOREIGN KEY (organisation_id, fund) REFERENCES donations_fund (organisation_id, slug),
    ADD CONSTRAINT donation_stands_in_the_ledger
        FOREIGN KEY (organisation_id, book, sequence)
        REFERENCES ledger_entry (organisation_id, book, sequence);
