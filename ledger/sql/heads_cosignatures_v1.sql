-- What witnesses signed of the heads log's checkpoints. Cosignatures only grow, for any client.
CREATE TABLE ledger_headscosignature (
    size bigint NOT NULL REFERENCES ledger_headscheckpoint (size),
    witness text NOT NULL,
    line text NOT NULL CHECK (line ~ '^— [^ \n]+ [A-Za-z0-9+/=]+$'),
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (size, witness)
);
-- The last one of a witness: what it is asked to go on from.
CREATE INDEX ledger_headscosignature_last ON ledger_headscosignature (witness, size);

CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_headscosignature
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_headscosignature
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_headscosignature ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_headscosignature ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

REVOKE ALL ON ledger_headscosignature FROM PUBLIC, {application};
GRANT SELECT, INSERT ON ledger_headscosignature TO {application};
