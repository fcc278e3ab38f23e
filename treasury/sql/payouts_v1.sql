-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it;
-- what is in a payout is in one of its own organisation.
ALTER TABLE treasury_payout
    DROP CONSTRAINT treasury_payout_pkey, ADD PRIMARY KEY (organisation_id, id);
ALTER TABLE treasury_payoutitem
    DROP CONSTRAINT treasury_payoutitem_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD CONSTRAINT item_is_in_a_payout_of_its_organisation
        FOREIGN KEY (organisation_id, payout) REFERENCES treasury_payout (organisation_id, stripe_id);

-- What was in a payout stays in it: the application's role cannot take an item out, nor change it.
REVOKE ALL ON treasury_payoutitem FROM {application};
GRANT SELECT, INSERT, UPDATE (is_booked) ON treasury_payoutitem TO {application};
