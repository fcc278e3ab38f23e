-- What witnesses have signed of the checkpoints, and what each one said last.
-- Cosignatures only grow, for any client.

CREATE TABLE ledger_cosignature (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL CHECK (line ~ '^— [^ \n]+ [A-Za-z0-9+/=]+$'),
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, book, size, witness),
    FOREIGN KEY (organisation_id, book, size)
        REFERENCES ledger_checkpoint (organisation_id, book, size)
);
-- The last one of a witness: what it is asked to go on from.
CREATE INDEX ledger_cosignature_last ON ledger_cosignature (organisation_id, book, witness, size);

CREATE TABLE ledger_witnessanswer (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    witness text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('cosigned', 'silent', 'unknown', 'contradicted', 'wrong')),
    problem text NOT NULL,
    since timestamptz NOT NULL,
    asked_at timestamptz NOT NULL,
    cosigned_at timestamptz,
    PRIMARY KEY (organisation_id, book, witness),
    FOREIGN KEY (organisation_id, book) REFERENCES ledger_log (organisation_id, book),
    CONSTRAINT a_cosignature_is_no_problem CHECK ((state = 'cosigned') = (problem = ''))
);

CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_cosignature
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_cosignature ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_cosignature ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

REVOKE ALL ON ledger_cosignature, ledger_witnessanswer FROM PUBLIC, {application};
GRANT SELECT, INSERT ON ledger_cosignature TO {application};
GRANT SELECT, INSERT, UPDATE ON ledger_witnessanswer TO {application};
