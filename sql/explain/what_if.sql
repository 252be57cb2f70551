-- What a model would report for another day, with other settings, or without a question. Stored
-- results are not touched.

-- The gradebooks and the settings of a model as the parameters $1 (as of), $2 (settings) and $3
-- (questions left out) of a statement say.
CREATE FUNCTION @extschema@._hypothetical(model name) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT pg_catalog.format(
        '(SELECT g.subject::text AS subject, coalesce($1, %2$s) AS as_of,
                 CASE WHEN cardinality($3) > 0 THEN @extschema@.without(g.gradebook, $3)
                      ELSE g.gradebook END AS gradebook
          FROM %1$I.gradebook g) g
         CROSS JOIN LATERAL jsonb_populate_record((SELECT o FROM %1$I.settings o), $2) o', model,
        @extschema@._local(_hypothetical.model, 'g.as_of'));
END;
COMMENT ON FUNCTION @extschema@._hypothetical(name) IS
'internal: the gradebooks and settings of a model as they would be in a what-if';

CREATE FUNCTION @extschema@.what_if(
    model name,
    as_of timestamptz DEFAULT NULL,
    settings jsonb DEFAULT '{}',
    without text[] DEFAULT '{}'
) RETURNS TABLE (
    subject text,
    student text,
    level float8,
    level_se float8,
    ci_low float8,
    ci_high float8,
    need float8,
    need_rank bigint,
    trend text,
    status text,
    on_help_list boolean,
    stored_level float8,
    stored_need float8,
    stored_need_rank bigint,
    stored_on_help_list boolean,
    change float8
)
LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._must_read(model, 'students', 'gradebook', 'settings');
    PERFORM @extschema@._check_settings(model, settings);
    RETURN QUERY EXECUTE format(
        'SELECT g.subject, s.student, s.level, s.level_se, s.ci_low, s.ci_high, s.need, s.need_rank,
                s.trend, s.status,
                coalesce(s.need >= o.help_need AND s.need_rank IS NOT NULL, false),
                n.level, n.need, n.need_rank,
                coalesce(n.need >= n.help_need AND n.need_rank IS NOT NULL, false),
                s.level - n.level
         FROM %2$s
         CROSS JOIN LATERAL %3$s s
         LEFT JOIN (SELECT t.*, c.help_need FROM %1$I.students t CROSS JOIN %1$I.settings c) n
                ON ARRAY[n.subject::text, n.student::text] = ARRAY[g.subject, s.student]
         ORDER BY g.subject, s.need_rank',
        model, @extschema@._hypothetical(model),
        @extschema@._call(model, '@extschema@.students'::regproc))
    USING as_of, settings, without;
END $$;
COMMENT ON FUNCTION @extschema@.what_if IS
'the students of a model as of another time, with other settings or without some questions, '
'beside what is stored; nothing stored is touched';

CREATE FUNCTION @extschema@.what_if_questions(
    model name,
    as_of timestamptz DEFAULT NULL,
    settings jsonb DEFAULT '{}',
    without text[] DEFAULT '{}'
) RETURNS TABLE (
    subject text,
    item text,
    n bigint,
    facility float8,
    r_rest float8,
    discrimination float8,
    discrimination_se float8,
    ci_low float8,
    ci_high float8,
    weight float8,
    label text,
    status text,
    is_reviewed boolean,
    stored_n bigint,
    stored_discrimination float8,
    stored_weight float8,
    stored_status text,
    stored_is_reviewed boolean,
    change float8
)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._must_read(model, 'questions', 'gradebook', 'settings');
    PERFORM @extschema@._check_settings(model, settings);
    RETURN QUERY EXECUTE format(
        'SELECT g.subject, i.item, i.n, i.facility, i.r_rest, i.discrimination,
                i.discrimination_se, i.ci_low, i.ci_high, i.weight, i.label, i.status,
                @extschema@._is_under_review(i.status),
                q.n, q.discrimination, q.weight, q.status, @extschema@._is_under_review(q.status),
                i.discrimination - q.discrimination
         FROM %2$s
         CROSS JOIN LATERAL %3$s i
         LEFT JOIN %1$I.questions q
                ON ARRAY[q.subject::text, q.item::text] = ARRAY[g.subject, i.item]
         ORDER BY g.subject, i.status_rank, i.r_rest, i.item',
        model, @extschema@._hypothetical(model),
        @extschema@._call(model, '@extschema@.items'::regproc))
    USING as_of, settings, without;
END $$;
COMMENT ON FUNCTION @extschema@.what_if_questions IS
'the questions of a model as of another time, with other settings or without some of them, beside '
'what is stored; nothing stored is touched';

CREATE FUNCTION @extschema@.what_if_assessments(
    model name,
    as_of timestamptz DEFAULT NULL,
    settings jsonb DEFAULT '{}',
    without text[] DEFAULT '{}'
) RETURNS TABLE (
    subject text,
    assessment text,
    items bigint,
    students bigint,
    mean float8,
    sd float8,
    alpha float8,
    alpha_se float8,
    sem float8,
    stored_items bigint,
    stored_alpha float8,
    change float8,
    alpha_status text
)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._must_read(model, 'assessments', 'gradebook', 'settings');
    PERFORM @extschema@._check_settings(model, settings);
    RETURN QUERY EXECUTE format(
        'SELECT g.subject, a.assessment, a.items, a.students, a.mean, a.sd, a.alpha, a.alpha_se,
                a.sem, s.items, s.alpha, a.alpha - s.alpha, a.alpha_status
         FROM %2$s
         CROSS JOIN LATERAL %3$s a
         LEFT JOIN %1$I.assessments s
                ON ARRAY[s.subject::text, s.assessment::text] = ARRAY[g.subject, a.assessment]
         ORDER BY g.subject, a.last_at, a.assessment',
        model, @extschema@._hypothetical(model),
        @extschema@._call(model, '@extschema@.assessments'::regproc))
    USING as_of, settings, without;
END $$;
COMMENT ON FUNCTION @extschema@.what_if_assessments IS
'the assessments of a model as of another time, with other settings or without some questions, '
'beside what is stored; nothing stored is touched';

CREATE FUNCTION @extschema@.half_life_report(model name) RETURNS TABLE (
    subject text,
    half_life interval,
    in_use boolean,
    is_best boolean,
    indistinguishable boolean,
    rmse float8,
    difference float8,
    ci_low float8,
    ci_high float8,
    listed bigint,
    stays bigint,
    joins bigint,
    leaves bigint,
    advice text
)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@._must_read(model, 'students', 'gradebook', 'settings');
    RETURN QUERY EXECUTE format(
        'WITH g AS MATERIALIZED (
             SELECT row_number() OVER () AS place, g.*, a.half_life, a.in_use, a.is_best,
                    a.indistinguishable, a.rmse, a.difference, a.ci_low, a.ci_high, a.advice
             FROM %1$I.gradebook g
             CROSS JOIN %1$I.settings o
             CROSS JOIN LATERAL %2$s a),
         w AS (
             SELECT l.place, count(*) FILTER (WHERE l.on_help_list) AS listed,
                    count(*) FILTER (WHERE l.on_help_list AND l.stored_on_help_list) AS stays,
                    count(*) FILTER (WHERE l.on_help_list AND NOT l.stored_on_help_list) AS joins,
                    count(*) FILTER (WHERE NOT l.on_help_list AND l.stored_on_help_list) AS leaves
             FROM (SELECT g.place,
                          coalesce(s.need >= o.help_need AND s.need_rank IS NOT NULL, false)
                              AS on_help_list,
                          coalesce(t.need >= o.help_need AND t.need_rank IS NOT NULL, false)
                              AS stored_on_help_list
                   FROM g CROSS JOIN %1$I.settings o CROSS JOIN LATERAL %3$s s
                   LEFT JOIN %1$I.students t ON ARRAY[t.subject] = ARRAY[g.subject]
                                            AND t.student::text = s.student) l
             GROUP BY l.place)
         SELECT g.subject::text, g.half_life, g.in_use, g.is_best, g.indistinguishable, g.rmse,
                g.difference, g.ci_low, g.ci_high, coalesce(w.listed, 0), coalesce(w.stays, 0),
                coalesce(w.joins, 0), coalesce(w.leaves, 0), g.advice
         FROM g LEFT JOIN w ON w.place = g.place
         ORDER BY g.subject, g.half_life',
        model, @extschema@._call(model, '@extschema@.half_life_advice'::regproc,
                                 jsonb_build_object('as_of', @extschema@._local(model, 'g.as_of'))),
        @extschema@._call(model, '@extschema@.students', jsonb_build_object(
            'as_of', @extschema@._local(model, 'g.as_of'),
            'half_life', 'coalesce(g.half_life, @extschema@._no_decay())')));
END $$;
COMMENT ON FUNCTION @extschema@.half_life_report(name) IS
'for each subject of a model and each half-life: how well it would have predicted the past, and '
'whom the help list would gain and lose; it changes no setting';
