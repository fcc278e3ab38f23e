-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it;
-- a grant is for a gift of its organisation, and one that is called written has its entry.
ALTER TABLE credits_grantrule
    DROP CONSTRAINT credits_grantrule_pkey, ADD PRIMARY KEY (organisation_id, id);
ALTER TABLE credits_creditgrant
    DROP CONSTRAINT credits_creditgrant_pkey, ADD PRIMARY KEY (organisation_id, donation),
    ADD CONSTRAINT grant_is_for_a_gift_of_its_organisation
        FOREIGN KEY (organisation_id, donation) REFERENCES donations_donation (organisation_id, id),
    ADD CONSTRAINT grant_stands_in_the_ledger
        FOREIGN KEY (organisation_id, application, sequence)
        REFERENCES ledger_entry (organisation_id, book, sequence);

-- One grant a gift for ever: the application's role cannot delete one, nor change what it says.
REVOKE ALL ON credits_creditgrant FROM {application};
GRANT SELECT, INSERT, UPDATE (sequence) ON credits_creditgrant TO {application};
