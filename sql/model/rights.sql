-- With whose rights a model's code runs (src/pg/rights.rs). Whatever may run code of its owner or
-- of its source (triggers, policies, views, casts, defaults) goes through _as_owner; the rest looks
-- at catalogs only.

CREATE FUNCTION @extschema@._as_owner(
    owner oid, statement text, is_restricted boolean DEFAULT true) RETURNS text
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'as_owner_wrapper';
COMMENT ON FUNCTION @extschema@._as_owner(oid, text, boolean) IS
'internal: runs a statement with the rights of a role, in a security-restricted operation';

-- The current role. A cast of its name to regrole would fold that to lower case.
CREATE FUNCTION @extschema@._caller() RETURNS oid
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user;
END;
COMMENT ON FUNCTION @extschema@._caller() IS 'internal: the current role';

-- From 16 on members may be kept from SET ROLE.
CREATE FUNCTION @extschema@._may_act_for(owner oid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.pg_has_role(owner,
        CASE WHEN pg_catalog.current_setting('server_version_num')::int < 160000
             THEN 'MEMBER' ELSE 'SET' END);
END;
COMMENT ON FUNCTION @extschema@._may_act_for(oid) IS
'internal: whether the current role may take the rights of another';

CREATE FUNCTION @extschema@._foreign_part(schema oid, model_owner oid, OUT what text, OUT owner oid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model name := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = schema);
BEGIN
    SELECT p.what, p.owner INTO what, owner
    FROM  (SELECT format('schema %I', n.nspname) AS what, n.nspowner AS owner
           FROM   pg_namespace n WHERE n.oid = schema
           UNION  ALL
           SELECT format('%I.%I', model, c.relname), c.relowner
           FROM   pg_class c
           WHERE  c.relnamespace = schema
           AND    c.relname IN (SELECT r.relation FROM @extschema@._relations() r)
           UNION  ALL
           SELECT format('function %I.%I', model, f.proname), f.proowner
           FROM   pg_proc f WHERE f.pronamespace = schema AND f.proname = 'note_changes') p
    WHERE  p.owner <> model_owner ORDER BY p.what LIMIT 1;
END $$;
COMMENT ON FUNCTION @extschema@._foreign_part(oid, oid) IS
'internal: what of a model belongs to another role than its owner';

-- A statement that reads tables of a model, with the rights of their owner where the caller may act
-- for it; returns its value as text. Whether the tables are plain is known from the catalog as the
-- snapshot of the transaction has it, and the planner goes by the catalog as it is.
CREATE FUNCTION @extschema@._look(owner oid, statement text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    value text;
BEGIN
    IF @extschema@._may_act_for(owner) THEN
        RETURN @extschema@._as_owner(owner, statement);
    END IF;
    -- A caller who may not act for the owner gets no old snapshot.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN NULL;
    END IF;
    EXECUTE statement INTO value;
    RETURN value;
END $$;
COMMENT ON FUNCTION @extschema@._look(oid, text) IS
'internal: a value that is read from tables of a model';

-- The owner of a model, where the caller may act for it. A role that owns only a part of the model
-- could put code there that would run with the rights of the owner of the rest.
CREATE FUNCTION @extschema@._must_be_owner(model name) RETURNS oid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model_schema oid := @extschema@._schema(model);
    model_owner oid := @extschema@._owner(model_schema);
    other record;
BEGIN
    IF NOT @extschema@._may_act_for(model_owner) THEN
        RAISE EXCEPTION 'must be owner of model %', quote_ident(model)
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('It belongs to %s.', quote_ident(pg_get_userbyid(model_owner))),
                  HINT = 'Call as its owner, or as a role that may SET ROLE to it.';
    END IF;
    other := @extschema@._foreign_part(model_schema, model_owner);
    IF other.what IS NOT NULL THEN
        RAISE EXCEPTION 'model % has more than one owner', quote_ident(model)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%s belongs to %s, other parts of the model to %s.', other.what,
                                  quote_ident(pg_get_userbyid(other.owner)),
                                  quote_ident(pg_get_userbyid(model_owner))),
                  HINT = 'Give all of it to one role by ALTER ... OWNER TO.';
    END IF;
    RETURN model_owner;
END $$;
COMMENT ON FUNCTION @extschema@._must_be_owner(name) IS
'internal: the owner of a model, for whom the caller may act';

-- A trigger that is deferred in a transaction of the caller's would fire at its end, with the
-- rights of the caller.
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
                  DETAIL = format('One is on %s. At the end of the transaction it would fire with '
                                  'the rights of the caller.', late),
                  HINT = 'Make constraint triggers on the tables of the model NOT DEFERRABLE.';
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._must_not_defer(name) IS
'internal: refuses a model with triggers that can be deferred';
