-- The schema itself is made by CREATE EXTENSION (see pg_assess.control) and grants nothing.
-- Everyone may call what is in it; nobody may add to it.
REVOKE ALL ON SCHEMA @extschema@ FROM PUBLIC;
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;
COMMENT ON SCHEMA @extschema@ IS 'pg_assess: which students most need help, and why';
