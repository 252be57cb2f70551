//! A model that pg_cron keeps up to date. It knows no shorter time than a minute.

use std::process::Command;
use std::thread;
use std::time::Duration;

use pg_assess_it::{Database, Server};

/// Whether the server that the tests' one is a copy of has pg_cron.
fn is_installed() -> bool {
    let config = std::env::var("PG_CONFIG").unwrap_or_else(|_| "pg_config".to_owned());
    let found = Command::new(config).arg("--pkglibdir").output();
    let folder = found.map(|found| String::from_utf8_lossy(&found.stdout).trim_end().to_owned());
    folder.is_ok_and(|folder| std::path::Path::new(&folder).join("pg_cron.so").exists())
}

#[test]
fn pg_cron_refreshes_a_model() {
    if !is_installed() {
        println!("skipped: pg_cron_refreshes_a_model: no pg_cron");
        return;
    }
    let server = Server::start(
        "shared_preload_libraries = 'pg_cron'
         cron.database_name = 'scheduled'
         cron.host = '@dir@'",
    );
    let database = Database::named(&server.host, "scheduled");
    let mut session = database.session();
    session.run(
        "CREATE EXTENSION pg_cron;
         SELECT * FROM assess.sample_network(students_per_school => 10, weeks => 6);
         SELECT assess.create_model('school', 'sample_network.responses', 'student_id', 'question_id',
             'assessment_id', 'points', 'taken_on', max_score => 'max_points', subject => 'subject');
         SELECT cron.schedule('refresh school', '* * * * *', $$CALL assess.refresh('school')$$)",
    );
    for _ in 0..150 {
        if session
            .one::<i64>("SELECT count(*) FROM cron.job_run_details WHERE status = 'succeeded'")
            > 0
        {
            break;
        }
        thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(
        session.table("SELECT DISTINCT status, return_message FROM cron.job_run_details WHERE status <> 'running'"),
        ["succeeded|CALL"]
    );
    session.run("SELECT cron.unschedule('refresh school')");
    assert_eq!(
        session.table("SELECT run_id, status FROM school.runs WHERE run_id <= 2 ORDER BY run_id"),
        ["1|succeeded", "2|succeeded"]
    );
    assert_eq!(
        session.table("SELECT min(run_id) > 1 FROM school.students"),
        ["t"]
    );
}
