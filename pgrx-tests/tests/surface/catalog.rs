//! The extension as the catalogs see it: what it installs, who may use it, that it goes without a
//! trace, and that no call of any of its functions brings a backend down.

use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_it::{Database, RESPONSES, Session, gradebook_of};

/// Rows of a query that lists what is wrong.
#[track_caller]
fn none(session: &mut Session, wrong: &str) {
    assert_eq!(session.table(wrong), [""; 0], "{wrong}");
}

#[test]
fn everything_installed_is_documented_and_resolves() {
    let database = Database::new();
    let mut session = database.session();
    none(
        &mut session,
        "SELECT oid::regprocedure FROM pg_proc
         WHERE pronamespace = 'assess'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL",
    );
    none(
        &mut session,
        "SELECT oid::regtype FROM pg_type
         WHERE typnamespace = 'assess'::regnamespace AND typelem = 0
           AND obj_description(oid, 'pg_type') IS NULL",
    );
    assert_ne!(
        session.table("SELECT obj_description('assess'::regnamespace, 'pg_namespace')"),
        ["-"]
    );
    // Loads the library and looks up the symbol of every function.
    let functions = "pg_proc p JOIN pg_language l ON l.oid = prolang
                     WHERE pronamespace = 'assess'::regnamespace AND lanname = 'c'";
    session.table(&format!("SELECT fmgr_c_validator(p.oid) FROM {functions}"));
    assert!(session.one::<i64>(&format!("SELECT count(*) FROM {functions}")) > 20);
    none(
        &mut session,
        &format!("SELECT p.oid::regprocedure FROM {functions} AND probin <> '$libdir/pg_assess'"),
    );
    none(
        &mut session,
        "SELECT oid::regprocedure FROM pg_proc
         WHERE pronamespace = 'assess'::regnamespace
           AND (prosecdef
                OR prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
                   -- A standard body was bound to what it names when it was made.
                   AND prosqlbody IS NULL
                   -- A procedure that commits cannot have the clause, and sets it first of all.
                   AND NOT (prokind = 'p'
                            AND prosrc ~ 'BEGIN\\s+PERFORM pg_catalog.set_config\\(''search_path''')
                   AND NOT coalesce(array_to_string(proconfig, ' '), '')
                           LIKE '%search_path=pg_catalog, pg_temp%')",
    );
    none(
        &mut session,
        "SELECT oid::regprocedure FROM pg_proc p
         WHERE pronamespace = 'assess'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND deptype = 'e')",
    );
}

#[test]
fn aggregates_can_work_in_parallel() {
    let database = Database::new();
    let mut session = database.session();
    assert!(
        session.one::<i64>(
            "SELECT count(*) FROM pg_proc
             WHERE pronamespace = 'assess'::regnamespace AND prokind = 'a'"
        ) >= 50
    );
    none(
        &mut session,
        "SELECT aggfnoid FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
         WHERE pronamespace = 'assess'::regnamespace
           AND (aggcombinefn = 0 OR proparallel <> 's' OR aggfinalmodify <> 'r'
                OR (aggtranstype = 'internal'::regtype)
                   <> (aggserialfn <> 0 AND aggdeserialfn <> 0))",
    );
    none(
        &mut session,
        "SELECT f.oid::regprocedure FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
         JOIN pg_proc f
           ON f.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn)
         WHERE p.pronamespace = 'assess'::regnamespace
           AND (f.proparallel <> 's' OR f.provolatile <> 'i')",
    );
}

/// Every aggregate with its arguments and its result; `@time@` stands for each type of time. An
/// indented line goes on where the one before ended.
const AGGREGATES: &str = r#"
biserial(score float8, criterion float8) -> float8
decay_agg(score float8, taken_at @time@, half_life interval) -> decay_summary
decay_agg(score float8, taken_at @time@, half_life interval, weight float8) -> decay_summary
decay_avg(score float8, taken_at @time@, half_life interval) -> float8
decay_avg(score float8, taken_at @time@, half_life interval, weight float8) -> float8
decay_avg(score float8, taken_at @time@, half_life interval, weight float8, as_of @time@) -> float8
discrimination(score float8, criterion float8) -> float8
gradebook_agg(student "any", item "any", assessment "any", score float8, max_score float8,
    taken_at @time@) -> gradebook
gradebook_agg(student "any", item "any", assessment "any", score float8,
    taken_at @time@) -> gradebook
item_agg(score float8, criterion float8) -> item_summary
r_rest(score float8, total float8) -> float8
rollup(gradebook gradebook) -> gradebook
rollup(summary decay_summary) -> decay_summary
rollup(summary item_summary) -> item_summary
rollup(summary trend_summary) -> trend_summary
roster_agg(student "any", student_group "any", entered_at @time@, left_at @time@) -> gradebook
trend(score float8, taken_at @time@) -> text
trend(score float8, taken_at @time@, weight float8) -> text
trend_agg(score float8, taken_at @time@) -> trend_summary
trend_agg(score float8, taken_at @time@, weight float8) -> trend_summary
trend_slope(score float8, taken_at @time@) -> float8
trend_slope(score float8, taken_at @time@, weight float8) -> float8
cronbach_alpha(scores float8[]) -> float8
cronbach_alpha_se(scores float8[]) -> float8
discrimination_index(score float8, criterion float8) -> float8
discrimination_index(score float8, criterion float8, share float8) -> float8
discriminative_efficiency(score float8, criterion float8) -> float8
kendall_tau(score float8, taken_at @time@) -> float8
mann_kendall(score float8, taken_at @time@) -> float8
mann_kendall_s(score float8, taken_at @time@) -> bigint
mantel_haenszel(correct boolean, is_focal boolean, stratum float8) -> float8
mantel_haenszel_class(correct boolean, is_focal boolean, stratum float8) -> text
mantel_haenszel_delta(correct boolean, is_focal boolean, stratum float8) -> float8
mantel_haenszel_delta_se(correct boolean, is_focal boolean, stratum float8) -> float8
mantel_haenszel_p(correct boolean, is_focal boolean, stratum float8) -> float8
somers_d(score float8, criterion float8) -> float8
somers_d_se(score float8, criterion float8) -> float8
theil_sen(score float8, taken_at @time@) -> float8
theil_sen_ci_high(score float8, taken_at @time@) -> float8
theil_sen_ci_high(score float8, taken_at @time@, confidence float8) -> float8
theil_sen_ci_low(score float8, taken_at @time@) -> float8
theil_sen_ci_low(score float8, taken_at @time@, confidence float8) -> float8
"#;

/// What a summary can be asked.
const ACCESSORS: &str = "
biserial(summary item_summary) -> float8
biserial_se(summary item_summary) -> float8
ci_high(summary item_summary, confidence float8 DEFAULT 0.95) -> float8
ci_low(summary item_summary, confidence float8 DEFAULT 0.95) -> float8
dates(summary trend_summary) -> integer
discrimination(summary item_summary) -> float8
discrimination_se(summary item_summary) -> float8
excluded(summary decay_summary) -> bigint
excluded(summary item_summary) -> bigint
excluded(summary trend_summary) -> bigint
facility(summary item_summary) -> float8
first_at(summary trend_summary) -> timestamptz
half_life(summary decay_summary) -> float8
information(summary decay_summary) -> float8
information(summary decay_summary, as_of timestamptz) -> float8
last_at(summary decay_summary) -> timestamptz
last_at(summary trend_summary) -> timestamptz
level(summary decay_summary) -> float8
level(summary decay_summary, as_of timestamptz) -> float8
level_se(summary decay_summary) -> float8
level_se(summary decay_summary, as_of timestamptz) -> float8
n(summary decay_summary) -> bigint
n(summary item_summary) -> bigint
n(summary trend_summary) -> bigint
n_effective(summary decay_summary) -> float8
r_rest(summary item_summary) -> float8
slope(summary trend_summary) -> float8
slope_se(summary trend_summary) -> float8
trend(summary trend_summary) -> text
trend(summary trend_summary, margin float8) -> text
trend_p(summary trend_summary) -> float8
trend_rank(summary trend_summary) -> integer
trend_rank(summary trend_summary, margin float8) -> integer
";

/// The lines of a list, for each type of time, in order.
fn signatures(list: &str) -> Vec<String> {
    let list = list.replace("\n    ", " ");
    let lines = list.lines().filter(|line| !line.is_empty());
    let mut signatures: Vec<String> = lines
        .flat_map(|line| {
            ["date", "timestamp", "timestamptz"].map(|time| line.replace("@time@", time))
        })
        .collect();
    signatures.sort();
    signatures.dedup();
    signatures
}

#[test]
fn aggregates_and_accessors_are_frozen() {
    let database = Database::new();
    let mut session = database.session();
    let mut found = |condition: &str| {
        let mut found: Vec<String> = session
            .table(&format!(
                "SELECT format('%s(%s) -> %s', proname, pg_get_function_arguments(p.oid),
                               pg_get_function_result(p.oid))
                 FROM pg_proc p
                 WHERE pronamespace = 'assess'::regnamespace AND proname NOT LIKE '\\_%'
                   AND {condition}"
            ))
            .iter()
            .map(|signature| {
                signature
                    .replace("assess.", "")
                    .replace("double precision", "float8")
                    .replace("timestamp with time zone", "timestamptz")
                    .replace("timestamp without time zone", "timestamp")
            })
            .collect();
        found.sort();
        found
    };
    assert_eq!(found("prokind = 'a'"), signatures(AGGREGATES));
    let takes_a_summary = "prokind = 'f' AND proname !~ '_(out|send)$' AND proargtypes[0] IN (
        SELECT oid FROM pg_type WHERE typname LIKE '%\\_summary')";
    assert_eq!(found(takes_a_summary), signatures(ACCESSORS));
}

/// The length and the alignment of a type, as Postgres knows them.
fn layout<S: Summary>(session: &mut Session) -> (i16, String) {
    let row = session
        .query_one(
            "SELECT typlen, typalign::text FROM pg_type
             WHERE typname = $1 AND typnamespace = 'assess'::regnamespace AND NOT typbyval",
            &[&S::NAME],
        )
        .expect("the type is there");
    (row.get(0), row.get(1))
}

/// Values of another length would be read beyond their end.
#[test]
fn summaries_are_as_long_as_they_are_declared() {
    let database = Database::new();
    let mut session = database.session();
    let double = |size: usize| (i16::try_from(size).expect("a short type"), "d".to_owned());
    assert_eq!(
        layout::<ItemSummary>(&mut session),
        double(ItemSummary::SIZE)
    );
    assert_eq!(
        layout::<DecaySummary>(&mut session),
        double(DecaySummary::SIZE)
    );
    assert_eq!(
        layout::<TrendSummary>(&mut session),
        double(TrendSummary::SIZE)
    );
    let fixed = "SELECT count(*) FROM pg_type
                 WHERE typnamespace = 'assess'::regnamespace AND typlen > 0 AND typtype = 'b'";
    assert_eq!(
        session.one::<i64>(fixed),
        3,
        "a type that is not compared here"
    );
}

#[test]
fn public_may_use_the_schema_and_not_add_to_it() {
    let database = Database::new();
    let mut session = database.session();
    assert_eq!(
        session.table(
            "SELECT has_schema_privilege('public', 'assess', 'USAGE'),
                    has_schema_privilege('public', 'assess', 'CREATE')"
        ),
        ["t|f"]
    );
    none(
        &mut session,
        "SELECT oid::regprocedure FROM pg_proc
         WHERE pronamespace = 'assess'::regnamespace
           AND NOT has_function_privilege('public', oid, 'EXECUTE')",
    );
}

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
    let told =
        session.fails("CREATE FUNCTION assess.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    assert_eq!(told.code().code(), "42501");
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
    let told = session.fails("DROP EXTENSION pg_assess");
    assert_eq!(told.code().code(), "2BP01", "{told}");
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
    let told = session.fails("CREATE EXTENSION pg_assess");
    assert_eq!(told.code().code(), "42723", "{told}");
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
    let told = session.fails("SELECT 1 OPERATOR(trap.=) 1");
    assert!(told.message().contains("trap"), "the trap is set");

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

/// Values of a type that are ordinary at first, and then less and less so.
fn values(r#type: &str, gradebooks: &[String]) -> Vec<String> {
    let listed: &[&str] = match r#type {
        "assess.gradebook" => return gradebooks.to_vec(),
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
        "jsonb" => &["'{}'", "'[]'", "'null'", "'{\"x\": [1]}'"],
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
                let told = error
                    .as_db_error()
                    .unwrap_or_else(|| panic!("the backend died of {sql}"));
                // An internal error is a panic that nobody foresaw.
                assert!(!told.code().code().starts_with("XX"), "{told}: {sql}");
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
