//! What is installed, its frozen shape, and that it comes and goes without a trace.

use pg_assess_core::summary::{DecaySummary, ItemSummary, Summary, TrendSummary};
use pg_assess_it::{Database, Session};

use super::none;

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
gradebook_agg(student "any", item "any", assessment "any", score float8, min_score float8,
    max_score float8, taken_at @time@) -> gradebook
gradebook_agg(student "any", item "any", assessment "any", score float8, min_score float8,
    max_score float8, taken_at @time@, standing text, attempt bigint, item_position integer) -> gradebook
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
