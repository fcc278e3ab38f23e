-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE donations_recurringgift
    DROP CONSTRAINT donations_recurringgift_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD CONSTRAINT recurring_is_for_a_fund_of_its_organisation
        FOREIGN KEY (organisation_id, fund) REFERENCES donations_fund (organisation_id, slug);
CREATE INDEX recurring_by_id ON donations_recurringgift (id);
ALTER TABLE donations_recurringnotice
    DROP CONSTRAINT donations_recurringnotice_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD CONSTRAINT notice_is_of_a_gift_of_its_organisation
        FOREIGN KEY (organisation_id, recurring_id)
        REFERENCES donations_recurringgift (organisation_id, id);

-- A payment is of a gift of its own organisation.
ALTER TABLE donations_donation
    ADD CONSTRAINT donation_repeats_in_its_organisation
        FOREIGN KEY (organisation_id, recurring_id)
        REFERENCES donations_recurringgift (organisation_id, id);

-- A donor's gifts are found by their address; in "C" nothing is folded but a to A.
CREATE INDEX donation_by_donor ON donations_donation (upper(donor_email COLLATE "C"));
CREATE INDEX recurring_by_donor ON donations_recurringgift (upper(donor_email COLLATE "C"));
