-- For the admin, which takes no composite keys: each owner's balance. The key stands in addresses,
-- and so in access logs; it says of the owner's id no more than a hash does.
CREATE VIEW credits_ownerlisting AS
    SELECT organisation_id || '/' || book || '/' || encode(sha256(convert_to(name, 'UTF8')), 'hex') AS id,
        organisation_id, book AS application, substr(name, length('owner:') + 1) AS owner_id,
        credits - debits AS balance
    FROM ledger_account
    WHERE kind = 'owner';

REVOKE ALL ON credits_ownerlisting FROM PUBLIC, {application};
GRANT SELECT ON credits_ownerlisting TO {application};
