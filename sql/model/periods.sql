-- Periods of the source of a model that tracks changes, as SQL. Two stand for more: -infinity has
-- the rows without a date that a calendar has use for; and a note of infinity says that anything
-- may have changed.

-- The period of a row, and whether a time lies in one: SQL over an expression of the type. Periods
-- are those of UTC, as sessions may differ in their time zones.
CREATE FUNCTION @extschema@._period(
    expression text, type regtype, period text,
    OUT beginning text, OUT out_of_calendar text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    zone text := CASE WHEN type = 'timestamptz'::regtype THEN ' 00:00+00' ELSE '' END;
    local text := CASE WHEN type = 'timestamptz'::regtype
                       THEN format('timezone(''UTC'', %s)', expression)
                       ELSE format('%s::timestamp', expression) END;
BEGIN
    out_of_calendar := format('%1$s IS NULL OR %1$s < %2$s ''1900-01-01%3$s''
                               OR %1$s >= %2$s ''2200-01-01%3$s''', expression, type, zone);
    beginning := format('CASE WHEN %s THEN date ''-infinity'' ELSE %s END', out_of_calendar,
                        CASE WHEN type = 'date'::regtype AND period = 'day'
                             THEN expression || '::date'
                             ELSE format('date_trunc(%L, %s)::date', period, local) END);
END $$;
COMMENT ON FUNCTION @extschema@._period(text, regtype, text) IS
'internal: SQL for the period in which a time lies';

-- A time at which a period begins, in the type of the source's times.
CREATE FUNCTION @extschema@._bound(expression text, type regtype) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN _bound.type = 'timestamptz'::pg_catalog.regtype
                THEN pg_catalog.format('timezone(''UTC'', (%s)::timestamp)', _bound.expression)
                ELSE pg_catalog.format('(%s)::%s', _bound.expression, _bound.type) END;
END;
COMMENT ON FUNCTION @extschema@._bound(text, regtype) IS
'internal: SQL for the time at which a period begins';

-- A condition on dated that holds exactly in these periods. Neighbours become one range, so that an
-- index or partitions of the source can serve it. Not in every style do dates read as they are
-- written.
CREATE FUNCTION @extschema@._in_periods(periods date[], period text, type regtype) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    step interval := ('1 ' || CASE period WHEN 'quarter' THEN 'month' ELSE period END)::interval
                     * CASE period WHEN 'quarter' THEN 3 ELSE 1 END;
    ranges text;
    n int;
BEGIN
    SELECT count(*), string_agg(format('(r.dated >= %s AND r.dated < %s)',
                             @extschema@._bound(quote_literal(g.first) || '::date', type),
                             @extschema@._bound(quote_literal((g.last + step)::date) || '::date',
                                                type)), ' OR ' ORDER BY g.first)
    INTO   n, ranges
    FROM  (SELECT min(q.p) AS first, max(q.p) AS last
           FROM  (SELECT s.p, sum(s.starts) OVER (ORDER BY s.p) AS range
                  FROM  (SELECT d.p, CASE WHEN d.p = lag(d.p) OVER (ORDER BY d.p) + step
                                          THEN 0 ELSE 1 END AS starts
                         FROM unnest(periods) d(p) WHERE isfinite(d.p)) s) q
           GROUP BY q.range) g;
    -- So many that going through them for every row would take longer than reading all between.
    IF n > 50 THEN
        SELECT format('(r.dated >= %s AND r.dated < %s AND r.period = ANY (%L::date[]))',
                      @extschema@._bound(quote_literal(min(d.p)) || '::date', type),
                      @extschema@._bound(quote_literal((max(d.p) + step)::date) || '::date', type),
                      array_agg(d.p))
        INTO   ranges FROM unnest(periods) d(p) WHERE isfinite(d.p);
    END IF;
    IF '-infinity'::date = ANY (periods) THEN
        ranges := concat_ws(' OR ', ranges, format('(%s)',
            (@extschema@._period('r.dated', type, period)).out_of_calendar));
    END IF;
    RETURN coalesce(ranges, 'false');
END $$;
COMMENT ON FUNCTION @extschema@._in_periods(date[], text, regtype) IS
'internal: SQL for the rows of some periods';
