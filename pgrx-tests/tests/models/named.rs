//! What is named as columns of a source, in place of them, and as values of its status.

use pg_assess_it::{Database, Session};

/// Thirty students and ten questions in one test, graded or final.
fn answers(session: &mut Session) {
    session.run(
        "CREATE TABLE a AS
         SELECT s, 'q' || q AS q, 't' AS test, ((s + q * 7) % 20 > 9)::int AS score,
                date '2026-01-05' AS day, CASE WHEN q > 5 THEN 'graded' ELSE 'final' END AS stt,
                q % 2 AS odd, 1 AS mx
         FROM   generate_series(1, 30) s, generate_series(1, 10) q",
    );
    session.notices();
}

fn model(more: &str) -> String {
    format!(
        "SELECT assess.create_model('m', 'a', 's', 'q', 'test', 'score', 'day'{more},
             settings => '{{\"as_of\": \"2026-03-01\"}}')"
    )
}

#[test]
fn numbers_in_place_of_columns_are_refused_that_are_none() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    for (more, code, hint) in [
        (", max_score => 1e400", "22003", "'infinity'"),
        (", max_score => 1e-400", "22003", "'infinity'"),
        (", min_score => -1e400", "22003", "'infinity'"),
        (", max_score => '1e999'", "22003", "'infinity'"),
        (
            ", max_score => '100%'",
            "42703",
            "A number such as 100 can stand for a column.",
        ),
        (
            ", min_score => 'none'",
            "42703",
            "A number such as 100 can stand for a column.",
        ),
        (", max_score => ''", "42703", "It has: s, q, test, score"),
        (", subject => ''", "42703", "It has: s, q, test, score"),
        (
            ", status => '', counted => '{graded}'",
            "42703",
            "It has: s, q, test, score",
        ),
    ] {
        let refused = session.refuses(&model(more), code);
        assert!(
            refused.hint().is_some_and(|said| said.contains(hint)),
            "{more}: {refused:?}"
        );
    }
    let refused = session.refuses(&model("").replace("'s'", "''"), "42703");
    assert_eq!(refused.message(), "public.a has no column \"\"");
    // A number of many digits, and a name that Postgres cuts off.
    session.run(&format!(
        "ALTER TABLE a ADD \"{}\" float8 DEFAULT 1",
        "x".repeat(70)
    ));
    session.notices();
    for (more, max) in [
        (format!(", max_score => 1{}", "0".repeat(70)), "1e+70"),
        (format!(", max_score => '{}'::text", "x".repeat(70)), "1"),
    ] {
        session.run(&model(&more));
        assert_eq!(
            session.table("SELECT DISTINCT max_score FROM m.responses"),
            [max]
        );
        session.run("SELECT assess.drop_model('m')");
        session.notices();
    }
}

#[test]
fn statuses_that_no_row_has_are_warned_of_and_none_means_two_things() {
    let database = Database::new();
    let mut session = database.session();
    answers(&mut session);
    let mut said = |more: &str| {
        session.run(&model(&format!(", status => {more}")));
        session.run("SELECT assess.drop_model('m')");
        let notices = session.notices();
        let notices = notices.iter().map(|notice| {
            let (detail, hint) = (notice.detail().unwrap_or(""), notice.hint().unwrap_or(""));
            format!("{}|{detail}|{hint}", notice.message())
        });
        notices
            .filter(|said| said.starts_with("no row"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said("'stt', counted => '{Graded}'"),
        [
            "no row of public.a has the status Graded (counted)|A score whose status is not among counted does not \
          count.|Write it as the source does, or leave it out. Column stt also has: final, graded."
        ]
    );
    assert_eq!(
        said("'stt', counted => '{graded,final}', exempt => '{excused}', waiting => '{open,NULL}'"),
        [
            "no row of public.a has the statuses excused (exempt), open (waiting)|It says nothing of any row.|Write it as \
          the source does, or leave it out."
        ]
    );
    assert_eq!(said("'stt', counted => '{graded,graded}'"), [""; 0]);
    // By their values, not as they are written.
    assert_eq!(said("'odd', counted => '{01}', zero => '{0}'"), [""; 0]);
    for more in [
        ", status => 'stt', counted => '{graded,cheated}', zero => '{cheated}'",
        ", status => 'odd', counted => '{1}', exempt => '{01}'",
    ] {
        let refused = session.refuses(&model(more), "22023");
        assert!(refused.message().ends_with("is named twice"), "{refused:?}");
        assert!(refused.hint().is_some() && refused.detail().is_some());
    }
}
