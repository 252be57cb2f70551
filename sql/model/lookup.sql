-- Looks up a student, question, assessment, group or subject of a model. No message names a
-- student: readers of the server's log need not know which student was looked up.

-- Refuses a caller who may not read what a function reads: otherwise Postgres would show a page of
-- its SQL as the context of the error.
CREATE FUNCTION @extschema@._must_read(model name, VARIADIC relations name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hidden text;
BEGIN
    PERFORM @extschema@._model(model);
    SELECT string_agg(format('%I.%I', model, r.relation), ', ' ORDER BY r.place) INTO hidden
    FROM   unnest(relations) WITH ORDINALITY AS r(relation, place)
    WHERE  NOT has_any_column_privilege(to_regclass(format('%I.%I', model, r.relation)), 'SELECT');
    IF hidden IS NOT NULL THEN
        RAISE EXCEPTION 'permission denied for model %', quote_ident(model)
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('%I may not read %s.', current_user, hidden),
                  HINT = format('Its owner can GRANT SELECT ON %s TO %I.', hidden, current_user);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._must_read(name, name[]) IS
'internal: an error unless the caller may read relations of a model';

-- Refuses a subject, and a student, question, assessment or group, that a relation of the model
-- does not have, without saying which id it was: errors end in the server's log.
CREATE FUNCTION @extschema@._must_have(
    model name, relation name, attribute name, id text, in_subject text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subjects regclass;
    found boolean;
    has text;
    type text;
BEGIN
    PERFORM @extschema@._model(model, relation);
    -- The gradebook has subjects without a student too, but it holds everything, which not every
    -- reader of the relation may read.
    subjects := format('%I.%I', model, CASE
        WHEN has_table_privilege(format('%I.gradebook', model), 'SELECT') THEN 'gradebook'
        ELSE relation END);
    EXECUTE format('SELECT $1 IS NULL OR EXISTS (SELECT FROM %s g WHERE g.subject::text = $1)',
                   subjects) INTO found USING in_subject;
    IF NOT found THEN
        EXECUTE format('SELECT string_agg(quote_literal(g.subject), '', '' ORDER BY g.subject)
                        FROM (SELECT DISTINCT g.subject::text AS subject FROM %s g) g', subjects)
        INTO has;
        RAISE EXCEPTION 'model % has no such subject', quote_ident(model)
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('The subject asked for is %L.', in_subject),
                  HINT = format('It has %s.', coalesce(has, 'none with a name'));
    END IF;
    IF attribute IS NULL THEN
        RETURN;
    END IF;
    type := @extschema@._type(model, relation, attribute);
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I r WHERE r.%I = $1::%s
                                       AND ($2 IS NULL OR r.subject::text = $2))',
                       model, relation, attribute, type) INTO found USING id, in_subject;
    EXCEPTION WHEN data_exception THEN
        found := false;
    END;
    IF NOT found THEN
        RAISE EXCEPTION 'model % has no such %', quote_ident(model),
                        CASE attribute WHEN 'item' THEN 'question' WHEN 'student_group' THEN 'group'
                                       ELSE attribute END
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('No row of %I.%I has it as %s%s.', model, relation, attribute,
                                  ' in the subject ' || quote_literal(in_subject)),
                  HINT = format('Give an id of type %s as it stands there; what is newer than the '
                                'last refresh is not known yet%s.',
                                type, CASE attribute WHEN 'student_group' THEN
                                    ', and a group smaller than min_group_size has no name' END);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@._must_have(name, name, name, text, text) IS
'internal: an error unless a model has that subject, and that student, question, assessment or '
'group';

-- The subject in which a picture looks something up, as text, reading others besides. A subject
-- that is left out is the only one there is. No id is repeated in an error: it would end in the
-- server's log.
CREATE FUNCTION @extschema@._picked(
    model name, relation name, attribute name, id text, in_subject text,
    VARIADIC others name[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    IF attribute IS NOT NULL AND id IS NULL THEN
        PERFORM @extschema@._model(model);
        RAISE EXCEPTION '% must not be null', attribute
            USING ERRCODE = 'null_value_not_allowed',
                  DETAIL = 'There is nothing to draw.',
                  HINT = format('See SELECT DISTINCT r.%I FROM %I.%I r.', attribute, model,
                                relation);
    END IF;
    PERFORM @extschema@._must_read(model, VARIADIC relation || others);
    PERFORM @extschema@._must_have(model, relation, attribute, id, in_subject);
    EXECUTE format(
        'SELECT count(*) AS subjects, count(*) FILTER (WHERE r.subject IS NULL) AS without,
                min(r.subject::text) AS subject,
                string_agg(quote_nullable(r.subject::text), '', '' ORDER BY r.subject::text) AS list
         FROM  (SELECT DISTINCT r.subject FROM %I.%I r
                WHERE ($1 IS NULL OR r.subject::text = $1) AND %s) r', model, relation,
        CASE WHEN attribute IS NULL THEN 'true'
             ELSE format('r.%I = $2::%s', attribute,
                         @extschema@._type(model, relation, attribute)) END)
    INTO found USING in_subject, id;
    IF found.subjects > 1 AND found.without = 0 THEN
        RAISE EXCEPTION 'model % has several subjects', quote_ident(model)
            USING ERRCODE = 'ambiguous_parameter',
                  DETAIL = format('They are: %s.', found.list),
                  HINT = 'Name one of them as in_subject.';
    END IF;
    RETURN CASE WHEN found.subjects = 0 THEN in_subject
                WHEN found.without = 0 THEN found.subject END;
END $$;
COMMENT ON FUNCTION @extschema@._picked(name, name, name, text, text, name[]) IS
'internal: the subject in which something of a model is looked up';
