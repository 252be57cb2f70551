//! Results and states that are stored, copied, dumped, refreshed and asked again.

use pg_assess_it::{SERIAL, Session};

use super::{Line, lines, prepared, results};

/// Asserts that the columns named `r0`, `r1` and so on of two tables hold the same, by the text
/// and, where the type is one of the extension's, by the bytes.
fn assert_same_results(session: &mut Session, lines: &[Line], left: &str, right: &str) {
    for (at, line) in lines.iter().enumerate() {
        let result = line.result_type(session);
        let result = match result.strip_prefix("assess.") {
            Some(own) => format!("r{at}::text || assess.{own}_send(r{at})::text"),
            None => format!("r{at}::text"),
        };
        let rows = |table: &str| format!("SELECT item, {result} FROM {table} ORDER BY item");
        let (left, right) = (session.table(&rows(left)), session.table(&rows(right)));
        assert!(left.len() > 10, "{}", line.call);
        line.identical("as stored", &left, &right);
    }
}

#[test]
fn results_can_be_stored_copied_and_dumped() {
    let (database, mut session) = prepared();
    let lines = lines();
    session.run(&format!("CREATE TABLE kept AS {}", results(&lines, "true")));
    for format in ["text", "csv", "binary"] {
        let back = format!("{format}_back");
        session.copy("kept", &back, format);
        assert_same_results(&mut session, &lines, "kept", &back);
    }
    session.run("CREATE TABLE updated AS SELECT item, 0 AS filler FROM kept");
    for (at, line) in lines.iter().enumerate() {
        let result = line.result_type(&mut session);
        session.run(&format!("ALTER TABLE updated ADD r{at} {result}"));
    }
    let sets: Vec<String> = (0..lines.len())
        .map(|at| format!("r{at} = q.r{at}"))
        .collect();
    session.run(&format!(
        "UPDATE updated u SET {} FROM ({}) q WHERE q.item = u.item",
        sets.join(", "),
        results(&lines, "true")
    ));
    assert_same_results(&mut session, &lines, "kept", "updated");

    session.run("CREATE TABLE part AS SELECT * FROM kept WHERE item % 2 = 0; DROP TABLE updated");
    let restored = database.restored("--format=plain");
    let digest = "SELECT count(*), sum(hashtextextended(kept::text, 0)) FROM kept";
    assert_eq!(restored.session().table(digest), session.table(digest));
}

#[test]
fn materialized_views_are_refreshed() {
    let (_database, mut session) = prepared();
    let lines = lines();
    session.run(&format!(
        "CREATE MATERIALIZED VIEW kept AS {};
         CREATE UNIQUE INDEX ON kept (item)",
        results(&lines, "true")
    ));
    for (refresh, rows) in [("", "id % 3 > 0"), ("CONCURRENTLY", "id % 5 > 0")] {
        session.run(&format!(
            "DELETE FROM data WHERE NOT ({rows});
             REFRESH MATERIALIZED VIEW {refresh} kept;
             CREATE TABLE anew AS {}",
            results(&lines, "true")
        ));
        assert_same_results(&mut session, &lines, "kept", "anew");
        session.run("DROP TABLE anew");
    }
}

#[test]
fn results_do_not_depend_on_how_they_are_asked_for() {
    let (_database, mut session) = prepared();
    session.run(SERIAL);
    for line in lines() {
        let sql = line.sql();
        let groups = session.table(&format!(
            "SELECT item, {sql} FROM data GROUP BY item ORDER BY item"
        ));
        let sorted = format!("SELECT item, {sql} AS r FROM data GROUP BY item ORDER BY item");

        session.run(&format!(
            "PREPARE one (int) AS SELECT item, {sql} FROM data WHERE item = $1 GROUP BY item"
        ));
        for _ in 0..8 {
            let one = session.table("EXECUTE one (5)");
            line.identical("prepared", &one, &groups[5..6]);
        }
        session.run("DEALLOCATE one");

        session.run(&format!("BEGIN; DECLARE c SCROLL CURSOR FOR {sorted}"));
        let mut forward = session.table("FETCH ALL FROM c");
        let mut backward = session.table("FETCH BACKWARD ALL FROM c");
        backward.reverse();
        forward.truncate(groups.len());
        session.run("ROLLBACK");
        line.identical("cursor forward", &forward, &groups);
        line.identical("cursor backward", &backward, &groups);

        let result = line.result_type(&mut session);
        session.run(&format!(
            "CREATE FUNCTION looped() RETURNS TABLE (key int, result {result})
             LANGUAGE plpgsql AS $$ BEGIN
                 FOR key, result IN {sorted} LOOP RETURN NEXT; END LOOP;
             END $$"
        ));
        let looped = session.table("SELECT * FROM looped()");
        session.run("DROP FUNCTION looped");
        line.identical("PL/pgSQL loop", &looped, &groups);

        let correlated = session.table(&format!(
            "SELECT item, (SELECT {sql} FROM data WHERE data.item = g.item)
             FROM generate_series(0, 14) g(item) ORDER BY item"
        ));
        line.identical("correlated subquery", &correlated, &groups);
        let having = session.table(&format!(
            "SELECT item, {sql} FROM data GROUP BY item HAVING ({sql}) IS NOT NULL ORDER BY item"
        ));
        line.identical("HAVING", &having, &groups);
        let lateral = session.table(&format!(
            "SELECT item, r FROM generate_series(0, 14) g(item),
                    LATERAL (SELECT {sql} AS r FROM data d WHERE d.item = g.item) l ORDER BY item"
        ));
        line.identical("LATERAL", &lateral, &groups);
    }
}

/// The state of a stored row may be handed to an aggregate's functions by anyone.
#[test]
fn stored_states_are_not_changed() {
    let (_database, mut session) = prepared();
    let mut tried = 0;
    for line in lines() {
        session.run(&format!(
            "CREATE VIEW one AS SELECT {} FROM data",
            line.sql()
        ));
        let functions = session.table(
            "SELECT aggtransfn::oid::regproc, aggcombinefn::oid::regproc, aggfinalfn::oid,
                    aggfinalfn::oid::regproc, typname
             FROM pg_depend JOIN pg_aggregate ON aggfnoid = refobjid
             JOIN pg_type t ON t.oid = aggtranstype
             WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_proc'::regclass
               AND t.typnamespace = 'assess'::regnamespace",
        );
        session.run("DROP VIEW one");
        for functions in functions {
            let functions: Vec<&str> = functions.split('|').collect();
            let [transition, combine, has_final, last, state] = functions[..] else {
                panic!("five columns: {functions:?}");
            };
            let column = state.replace("summary", "state");
            let digest = format!("SELECT sum(hashtextextended({column}::text, 0)) FROM data");
            let before = session.table(&digest);
            let arguments = line.arguments().join(", ");
            let mut calls = vec![
                (format!("{transition}({column}, {arguments})"), true),
                (format!("{combine}({column}, {column})"), true),
            ];
            if has_final != "0" {
                calls.push((format!("{last}({column})"), false));
            }
            for (call, changes) in calls {
                let changed: i64 = session.one(&format!(
                    "SELECT count(*) FILTER (WHERE called IS DISTINCT FROM {column}::text)
                     FROM (SELECT ({call})::text AS called, {column} FROM data) q"
                ));
                assert_eq!(session.table(&digest), before, "{}: {call}", line.call);
                assert!(
                    changed > 100 || !changes,
                    "{}: {call} does nothing",
                    line.call
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}
