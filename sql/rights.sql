-- With whose rights a model's code runs (src/rights.rs). What may run code of its owner or of its
-- source (triggers, policies, views, casts, defaults) goes through _as_owner; what does not, looks at
-- catalogs only.

CREATE FUNCTION @extschema@._as_owner(
    owner oid, statement text, is_restricted boolean DEFAULT true) RETURNS text
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'as_owner_wrapper';
COMMENT ON FUNCTION @extschema@._as_owner(oid, text, boolean) IS
'internal: runs a statement with the rights of a role, in a security-restricted operation';

-- The owner of a model, where the caller may act for it. Who owns but a part of the model could put
-- code there that would run with the rights of the owner of the rest.
CREATE FUNCTION @extschema@._must_be_owner(model name) RETURNS oid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model_schema oid := @extschema@._schema(model);
    model_owner oid := (SELECT c.relowner FROM pg_class c
                        WHERE c.relnamespace = model_schema AND c.relname = 'settings');
    other record;
BEGIN
    -- From 16 on members may be kept from SET ROLE.
    IF NOT pg_has_role(model_owner, CASE WHEN current_setting('server_version_num')::int < 160000
                                   THEN 'MEMBER' ELSE 'SET' END) THEN
        RAISE EXCEPTION 'must be owner of model %', quote_ident(model)
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('It belongs to %s.', quote_ident(pg_get_userbyid(model_owner))),
                  HINT = 'Call as its owner, or as a role that may SET ROLE to it.';
    END IF;
    SELECT p.what, p.owner INTO other
    FROM  (SELECT format('schema %I', n.nspname) AS what, n.nspowner AS owner
           FROM   pg_namespace n WHERE n.oid = model_schema
           UNION  ALL
           SELECT format('%I.%I', model, c.relname), c.relowner
           FROM   pg_class c
           WHERE  c.relnamespace = model_schema
           AND    c.relname IN (SELECT r.relation FROM @extschema@._relations() r)
           UNION  ALL
           SELECT format('function %I.%I', model, f.proname), f.proowner
           FROM   pg_proc f WHERE f.pronamespace = model_schema AND f.proname = 'note_changes') p
    WHERE  p.owner <> model_owner ORDER BY p.what LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'model % has more than one owner', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%s belongs to %s, the settings of the model to %s.', other.what,
                                  quote_ident(pg_get_userbyid(other.owner)),
                                  quote_ident(pg_get_userbyid(model_owner))),
                  HINT = 'Give all of it to one role by ALTER ... OWNER TO.';
    END IF;
    RETURN model_owner;
END $$;
COMMENT ON FUNCTION @extschema@._must_be_owner(name) IS
'internal: the owner of a model, for whom the caller may act';

-- A trigger that is deferred in a transaction of the caller's would fire at its end, with the rights of
-- the caller.
CREATE FUNCTION @extschema@._must_not_defer(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    late text := (SELECT format('%I.%I', model, c.relname)
                        FROM   pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                        WHERE  c.relnamespace = @extschema@._schema(model) AND t.tgdeferrable
                        ORDER  BY c.relname LIMIT 1);
BEGIN
    IF late IS NOT NULL THEN
        RAISE EXCEPTION 'model % has triggers that can be deferred', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('One is on %s. At the end of the transaction it would fire with the rights '
                                  'of the caller.', late),
                  HINT = 'Make constraint triggers on the tables of the model NOT DEFERRABLE.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._must_not_defer(name) IS
'internal: refuses a model with triggers that can be deferred';
