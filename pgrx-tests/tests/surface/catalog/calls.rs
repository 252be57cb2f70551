//! No call of any function brings a backend down, whoever calls and whatever with.

use pg_assess_it::{Database, RESPONSES, Session, gradebook_of};

/// A role that goes when the test is done, after the databases it may own things in.
struct Role {
    name: String,
}

impl Role {
    fn new() -> Self {
        let name = format!("assess_user_{}", std::process::id());
        Database::bare()
            .session()
            .run(&format!("CREATE ROLE {name} LOGIN"));
        Self { name }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let database = Database::bare();
        let _ = database
            .session()
            .batch_execute(&format!("DROP ROLE {}", self.name));
    }
}

#[test]
fn a_fresh_role_can_use_everything_without_a_grant() {
    let role = Role::new();
    let database = Database::new();
    let mut session = database.session_as(&role.name);
    session.run(&RESPONSES.replace("CREATE TABLE", "CREATE TEMP TABLE"));
    session.run(&format!(
        "CREATE TEMP TABLE g AS {}",
        gradebook_of("responses")
    ));
    for question in [
        "SELECT count(*) > 0 FROM g, assess.items(gb)",
        "SELECT count(*) > 0 FROM g, assess.item_drift(gb)",
        "SELECT count(*) > 0 FROM g, assess.calibrate(gb)",
        "SELECT count(*) > 0 FROM g, assess.students(gb)",
        "SELECT count(*) > 0 FROM g, assess.assessments(gb)",
        "SELECT count(*) > 0 FROM g, assess.explain(gb, 's1')",
        "SELECT count(*) > 0 FROM g, assess.coverage(gb)",
        "SELECT count(*) > 0 FROM g, assess.backtest(gb)",
        "SELECT count(*) > 0 FROM g, assess.half_life_advice(gb)",
        "SELECT assess.rollup(gb) IS NOT NULL FROM g",
        "SELECT count(*) > 0
         FROM g, (SELECT assess.roster_agg('new', 1, NULL::date, NULL) AS gb) r,
              assess.students(assess.rollup(g.gb, r.gb)) WHERE student = 'new'",
        "SELECT count(*) >= 0 FROM g, assess.missing_work(gb)",
        "SELECT assess.school_map_svg(array_agg(student), array_agg(level), array_agg(slope),
                                      array_agg(need)) LIKE '<svg%' FROM g, assess.students(gb)",
        "SELECT assess.normalize_word(' A. ') = 'a'",
        "SELECT assess.matches_key(' A. ', '{a}')",
    ] {
        assert_eq!(session.table(question), ["t"], "{question}");
    }
    let error =
        session.fails("CREATE FUNCTION assess.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    assert_eq!(error.code().code(), "42501");
    // A network is a schema of the caller's, which the database must let the caller make.
    let network = "SELECT count(*)
                   FROM assess.sample_network(schools => 1, students_per_school => 6, weeks => 4)";
    assert_eq!(session.fails(network).code().code(), "42501");
    database.session().run(&format!(
        "GRANT CREATE ON DATABASE {} TO {}",
        database.name(),
        role.name
    ));
    assert_eq!(session.table(network), ["7"]);
}

/// All that a database consists of, without what changes by itself.
fn objects(session: &mut Session) -> Vec<String> {
    session.table(
        "SELECT classid::regclass, pg_describe_object(classid, objid, 0) FROM (
             SELECT tableoid, oid FROM pg_proc UNION ALL
             SELECT tableoid, oid FROM pg_type UNION ALL
             SELECT tableoid, oid FROM pg_class UNION ALL
             SELECT tableoid, oid FROM pg_namespace UNION ALL
             SELECT tableoid, oid FROM pg_operator UNION ALL
             SELECT tableoid, oid FROM pg_cast UNION ALL
             SELECT tableoid, oid FROM pg_opclass UNION ALL
             SELECT tableoid, oid FROM pg_extension UNION ALL
             SELECT classoid, objoid FROM pg_description UNION ALL
             SELECT classoid, objoid FROM pg_init_privs UNION ALL
             SELECT classid, objid FROM pg_depend) a(classid, objid)
         GROUP BY 1, 2, classid, objid ORDER BY 1, 2",
    )
}

#[test]
fn the_extension_goes_without_a_trace_and_comes_back() {
    let database = Database::bare();
    let mut session = database.session();
    let before = objects(&mut session);
    session.run("CREATE EXTENSION pg_assess");
    assert_eq!(
        session.fails("CREATE EXTENSION pg_assess").code().code(),
        "42710",
        "it is there already"
    );
    assert!(objects(&mut session).len() > before.len() + 30);
    session.run("DROP EXTENSION pg_assess");
    // Postgres keeps a schema that it made for an extension; nothing may be left in it.
    session.run("DROP SCHEMA IF EXISTS assess RESTRICT");
    assert_eq!(objects(&mut session), before);
    session.run("CREATE EXTENSION pg_assess");
    session.run("DROP EXTENSION pg_assess; CREATE EXTENSION pg_assess");
}

#[test]
fn the_users_data_hold_the_extension_back() {
    let database = Database::new();
    let mut session = database.session();
    session.run(
        "CREATE TABLE g AS SELECT assess.gradebook_agg(1, 1, 1, 1, now()) AS gb;
         SELECT assess.sample_network(schools => 1, students_per_school => 6, weeks => 4)",
    );
    let error = session.fails("DROP EXTENSION pg_assess");
    assert_eq!(error.code().code(), "2BP01", "{error}");
    session.run("DROP TABLE g; DROP EXTENSION pg_assess");
    assert!(session.one::<i64>("SELECT count(*) FROM sample_network.responses") > 0);
}

#[test]
fn databases_of_one_server_have_it_each() {
    let databases = [Database::new(), Database::new()];
    for database in &databases {
        let mut session = database.session();
        assert_eq!(
            session.table(
                "SELECT s.student, v.default_version = e.extversion
                 FROM (SELECT assess.gradebook_agg('a', 1, 1, 1, now()) AS gb) g,
                      assess.students(gb) s,
                      pg_extension e
                      JOIN pg_available_extensions v ON v.name = e.extname
                 WHERE e.extname = 'pg_assess'"
            ),
            ["a|t"]
        );
    }
}

#[test]
fn a_planted_object_is_not_taken_over() {
    let database = Database::bare();
    let mut session = database.session();
    session.run(
        "CREATE SCHEMA assess;
         CREATE FUNCTION assess.gradebook_in(cstring) RETURNS int
             LANGUAGE internal IMMUTABLE STRICT AS 'int4in'",
    );
    let error = session.fails("CREATE EXTENSION pg_assess");
    assert_eq!(error.code().code(), "42723", "{error}");
}

#[test]
fn a_hostile_search_path_changes_nothing() {
    let database = Database::bare();
    let mut session = database.session();
    // Whoever calls one of these by its bare name has fallen into the trap.
    session.run(
        "CREATE SCHEMA trap;
         CREATE FUNCTION trap.sprung() RETURNS text LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the trap has sprung'; END $$",
    );
    for (function, result) in [
        ("format(text, VARIADIC text[])", "text"),
        ("format(text, text)", "text"),
        ("format(text, name)", "text"),
        ("quote_ident(name)", "text"),
        ("quote_ident(text)", "text"),
        ("to_regnamespace(text)", "text"),
        ("isfinite(date)", "text"),
        ("num_nulls(VARIADIC text[])", "text"),
        ("add(date, int)", "date"),
        ("compare(int, int)", "bool"),
    ] {
        session.run(&format!(
            "CREATE FUNCTION trap.{function} RETURNS {result} LANGUAGE sql AS
                 'SELECT trap.sprung()::{result}'"
        ));
    }
    session.run(
        "CREATE OPERATOR trap.+ (LEFTARG = date, RIGHTARG = int, FUNCTION = trap.add);
         CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.compare);
         CREATE OPERATOR trap.> (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.compare);
         CREATE DOMAIN trap.date AS text;
         CREATE DOMAIN trap.text AS bytea;
         CREATE DOMAIN trap.float8 AS int;
         CREATE DOMAIN trap.smallint AS int",
    );
    let hostile = "SET search_path = trap, pg_catalog, public";
    session.run(&format!("{hostile}; CREATE EXTENSION pg_assess"));
    let error = session.fails("SELECT 1 OPERATOR(trap.=) 1");
    assert!(error.message().contains("trap"), "the trap is set");

    let mut answers = Vec::new();
    for path in ["RESET search_path", hostile] {
        session.run(path);
        session.table(
            "SELECT assess.sample_network('n', schools => 1, students_per_school => 12,
                                          weeks => 12)",
        );
        session.run(
            "CREATE TABLE public.g AS
             SELECT assess.gradebook_agg(student_id, question_id, assessment_id, points, max_points,
                                         taken_on) AS gb
             FROM n.responses",
        );
        let all = "SELECT s::pg_catalog.text FROM public.g, assess.students(gb) s
                   UNION ALL SELECT i::pg_catalog.text FROM public.g, assess.items(gb) i
                   UNION ALL SELECT d::pg_catalog.text FROM public.g, assess.item_drift(gb) d
                   UNION ALL SELECT l::pg_catalog.text FROM public.g, assess.calibrate(gb) l
                   UNION ALL SELECT a::pg_catalog.text FROM public.g, assess.assessments(gb) a
                   UNION ALL SELECT e::pg_catalog.text FROM public.g, assess.explain(gb, '3') e
                   UNION ALL SELECT m::pg_catalog.text FROM public.g, assess.missing_work(gb) m
                   UNION ALL SELECT c::pg_catalog.text FROM public.g, assess.coverage(gb) c
                   UNION ALL SELECT assess.normalize_word('A-1')
                   UNION ALL SELECT assess.matches_key('A-1', '{a 1}')::pg_catalog.text";
        answers.push((
            session.table(all),
            session.table("SELECT * FROM n.responses"),
        ));
        session.run("RESET search_path; DROP TABLE public.g; DROP SCHEMA n CASCADE");
    }
    assert!(answers[0].0.len() > 100);
    assert!(answers[0] == answers[1]);
}

/// Summaries that are ordinary, empty, of only rows that were left out, and of extremes.
fn summaries(r#type: &str) -> &'static [&'static str] {
    match r#type {
        "assess.item_summary" => &[
            "(SELECT assess.item_agg(n % 2, n * n) FROM generate_series(1, 20) n)",
            "'v1'",
            "(SELECT assess.item_agg('NaN', 1))",
            "(SELECT assess.item_agg(1e100 * n, -1e100) FROM generate_series(-1, 1) n)",
            "(SELECT assess.item_agg(5e-324, 1e-160 * n) FROM generate_series(1, 5) n)",
        ],
        "assess.decay_summary" => &[
            "(SELECT assess.decay_agg(n % 3, date '2026-01-05' + n, '60 days')
              FROM generate_series(1, 20) n)",
            "'v1'",
            "(SELECT assess.decay_agg('NaN', date '2026-01-05', '60 days'))",
            "(SELECT assess.decay_agg(1e100 * n, timestamp '294276-12-31', '60 days', 1e50)
              FROM generate_series(-1, 1) n)",
            "(SELECT assess.decay_agg(n, timestamptz '2026-01-05' - n * interval '1000 years',
                                      '1 microsecond', 1e-50) FROM generate_series(0, 5) n)",
        ],
        "assess.trend_summary" => &[
            "(SELECT assess.trend_agg(n % 3, date '2026-01-05' + n)
              FROM generate_series(1, 20) n)",
            "'v1'",
            "(SELECT assess.trend_agg('NaN', date '2026-01-05'))",
            "(SELECT assess.trend_agg(1e100 * n, timestamp '294276-12-31', 1e50)
              FROM generate_series(-1, 1) n)",
            "(SELECT assess.trend_agg(n, timestamptz '2026-01-05' - n * interval '1000 years',
                                      1e-50) FROM generate_series(0, 5) n)",
        ],
        _ => panic!("what are extreme values of {type}?"),
    }
}

/// Values of a type that are ordinary at first, and then less and less so.
fn values(r#type: &str, gradebooks: &[String]) -> Vec<String> {
    let listed: &[&str] = match r#type {
        "assess.gradebook" => return gradebooks.to_vec(),
        summary if summary.starts_with("assess.") => summaries(summary),
        "text[]" => &[
            "'{1}'",
            "'{}'",
            "'{NULL}'",
            "'{{a,b},{c,d}}'",
            "'[-5:-4]={a,b}'",
            "array_fill('x'::text, '{20000}')",
        ],
        "double precision[]" => &[
            "'{1}'",
            "'{}'",
            "'{NULL}'",
            "'{NaN}'",
            "'{1e308}'",
            "'{-Infinity}'",
            "'{{1,2},{3,4}}'",
        ],
        "smallint" => &["1", "0", "-32768", "32767"],
        "integer" => &["5", "0", "-1", "-2147483648", "2147483647"],
        "bigint" => &["1", "0", "-9223372036854775808", "9223372036854775807"],
        "double precision" => &[
            "0.5",
            "0",
            "'-0'",
            "-1",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "1.7e308",
            "5e-324",
        ],
        "text" | "name" => &["'1'", "''", "'\u{fffd}\u{202e}'", "repeat('x', 1000000)"],
        "boolean" => &["true", "false"],
        "name[]" => &["'{x}'", "'{}'", "'{NULL}'"],
        "bigint[]" => &["'{1, 2, NULL}'", "'{}'", "'{9223372036854775807}'"],
        "boolean[]" => &["'{t, f, NULL}'", "'{}'"],
        "regtype" => &["'date'", "0"],
        "date[]" => &[
            "'{2026-01-01, -infinity, infinity, NULL}'",
            "'{}'",
            "'{5874897-12-31}'",
        ],
        "regclass" => &["'pg_class'", "'responses'", "0"],
        "regproc" => &["'assess.students'", "0"],
        "oid" => &["'pg_catalog'::regnamespace", "0", "4294967295"],
        "json" | "jsonb" => &["'{}'", "'[]'", "'null'", "'{\"x\": [1]}'"],
        "interval" => &[
            "'30 days'",
            "'0'",
            "'1 microsecond'",
            "'-1 day'",
            "'178000000 years'",
            "'-178000000 years'",
        ],
        "date" => &[
            "'2026-05-04'",
            "'infinity'",
            "'-infinity'",
            "'5874897-12-31'",
            "'4714-11-24 BC'",
        ],
        "timestamp without time zone" | "timestamp with time zone" => &[
            "'2026-05-04'",
            "'infinity'",
            "'-infinity'",
            "'294276-12-31'",
            "'4713-01-01 BC'",
        ],
        "timestamp with time zone[]" => &[
            "'{2026-03-01, 2026-02-01, NULL}'",
            "'{}'",
            "'{infinity}'",
            "'{4713-01-01 BC, 294276-12-31}'",
            "array_fill('2026-03-01'::timestamptz, '{2000}')",
        ],
        "cstring" => &["'x'", "''", "'gradebook:AQAA'"],
        "bytea" => &["'\\x00'", "'\\x'"],
        "\"any\"" | "anycompatible" => &[
            "1",
            "'x'::text",
            "''::bpchar",
            "'x'",
            "ROW(1, 'x')",
            "ARRAY[1, 2]",
            "repeat('x', 1000000)",
        ],
        _ => panic!("what are extreme values of {type}?"),
    };
    let quoted = |value: &&str| match r#type {
        "\"any\"" | "anycompatible" => (*value).to_owned(),
        _ => format!("{value}::{type}"),
    };
    listed.iter().map(quoted).collect()
}

#[test]
fn every_function_survives_null_and_extreme_arguments() {
    let database = Database::new();
    let mut session = database.session();
    session.run(RESPONSES);
    let gradebooks: Vec<String> = [
        gradebook_of("responses"),
        gradebook_of("responses WHERE score IS NULL"),
        "SELECT assess.gradebook_agg(1, 1, 1, 1e308, 'Infinity', timestamptz '294276-12-31')"
            .to_owned(),
        "SELECT assess.gradebook_agg(NULL::text, NULL::text, NULL::text, NULL, NULL, NULL::date)"
            .to_owned(),
        format!(
            "SELECT assess.rollup(g.gb, r.gb) FROM ({}) g,
                    (SELECT assess.roster_agg('s' || n, n % 3, date '2026-01-01' + n, NULL) AS gb
                     FROM generate_series(1, 95) n) r",
            gradebook_of("responses")
        ),
        "SELECT assess.roster_agg(NULL::text, 1, NULL::date, NULL)".to_owned(),
    ]
    .iter()
    .map(|sql| session.one::<String>(&format!("SELECT gb::text FROM ({sql}) g(gb)")))
    .map(|text| format!("'{text}'::assess.gradebook"))
    .collect();
    // The functions of aggregates take states, which SQL cannot make.
    let functions = session.table(
        "SELECT p.oid::regproc, proretset, pronargs - pronargdefaults,
                array_to_string(proargnames[:pronargs], ','),
                (SELECT string_agg(format_type(t, NULL), ',' ORDER BY n)
                 FROM unnest(proargtypes) WITH ORDINALITY a(t, n))
         FROM pg_proc p WHERE pronamespace = 'assess'::regnamespace
           AND prokind <> 'p' AND pronargs > 0
           AND 'internal'::regtype <> ALL (proargtypes)",
    );
    assert!(functions.len() > 15, "{functions:?}");
    let backend = session.backend();
    let mut calls = 0;
    for function in functions {
        let parts: Vec<&str> = function.split('|').collect();
        let [name, set, required, names, types] = parts[..] else {
            panic!("five columns: {function}");
        };
        let required: usize = required.parse().expect("a number");
        let names: Vec<&str> = names.split(',').collect();
        let types: Vec<&str> = types.split(',').collect();
        // The arguments that must be given, and any one of the others by name.
        let mut lists: Vec<Vec<String>> = Vec::new();
        let null = |at: &usize| match types[*at] {
            "\"any\"" | "anycompatible" => "NULL::int".to_owned(),
            known => format!("NULL::{known}"),
        };
        lists.push((0..types.len()).map(|at| null(&at)).collect());
        let usual: Vec<String> = (0..required)
            .map(|at| values(types[at], &gradebooks)[0].clone())
            .collect();
        for (at, r#type) in types.iter().enumerate() {
            for value in values(r#type, &gradebooks).into_iter().chain([null(&at)]) {
                let mut list = usual.clone();
                match list.get_mut(at) {
                    Some(argument) => *argument = value,
                    None => list.push(format!("{} => {value}", names[at])),
                }
                lists.push(list);
            }
        }
        for at in 0..9 {
            let extreme = |r#type: &&str| {
                let values = values(r#type, &gradebooks);
                values[at % values.len()].clone()
            };
            lists.push(types[..required].iter().map(extreme).collect());
        }
        // Without an argument that must be given, all of these are the same.
        lists.dedup();
        for list in lists {
            let list = list.join(", ");
            let sql = if set == "t" {
                format!("SELECT count(*) FROM {name}({list}) r")
            } else {
                format!("SELECT length({name}({list})::text)")
            };
            let result = session.simple_query(&format!("BEGIN; {sql}; ROLLBACK"));
            if let Err(error) = result {
                let refusal = error
                    .as_db_error()
                    .unwrap_or_else(|| panic!("the backend died of {sql}"));
                // An internal error is a panic that nobody foresaw.
                assert!(!refusal.code().code().starts_with("XX"), "{refusal}: {sql}");
                session.run("ROLLBACK");
            }
            calls += 1;
        }
    }
    assert!(calls > 400, "{calls}");
    assert_eq!(session.backend(), backend);
}

#[test]
fn only_an_encoding_that_text_can_be_read_in_is_let_in() {
    let latin = Database::encoded("LATIN1");
    latin
        .session()
        .refuses("CREATE EXTENSION pg_assess", "0A000");
    let none = Database::encoded("SQL_ASCII");
    none.session().run("CREATE EXTENSION pg_assess");
}
