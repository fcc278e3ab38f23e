-- Lists of sanctions are replaced as a whole, so their names come and go, and the list itself stays.
REVOKE ALL ON reviews_sanctionlist, reviews_listedname, reviews_clearedpair FROM {application};
GRANT SELECT, INSERT, UPDATE ON reviews_sanctionlist TO {application};
GRANT SELECT, INSERT, DELETE ON reviews_listedname TO {application};

-- Who was ruled out, by whom and why, stays: for any client that is not a superuser.
GRANT SELECT, INSERT ON reviews_clearedpair TO {application};

CREATE TRIGGER reviews_refuse BEFORE UPDATE OR DELETE ON reviews_clearedpair
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews_clearedpair
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE reviews_clearedpair ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE reviews_clearedpair ENABLE ALWAYS TRIGGER reviews_refuse_truncate;
