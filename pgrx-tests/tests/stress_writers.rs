//! Many write at once to the sources of models that track changes by triggers, while these are
//! refreshed and whatever is at work is cancelled, timed out or killed. In the end each model must
//! hold, to the last bit, what one holds that reads everything.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pg_assess_it::source::{COLUMNS, MADE, differences, fill, model, responses};
use pg_assess_it::{Database, Dice, Server, Session, Stop, ending, stopped};

const WRITERS: usize = 8;
const REFRESHERS: usize = 2;

/// Sources, and models over each: tracked by the month, the week and the day, and one that is not.
const SOURCES: [&str; 3] = ["by_month", "by_week", "by_day"];
const MODELS: [&str; 4] = ["month", "week", "day", "untracked"];

/// The partitions of `by_day` that come and go, what they are parts of, and where they end.
const PARTITIONS: [(&str, &str, &str, &str); 4] = [
    ("day_2024", "by_day", "MINVALUE", "'2025-01-01'"),
    ("day_2025", "by_day", "'2025-01-01'", "'2026-01-01'"),
    ("day_2025_a", "day_2025", "'2025-01-01'", "'2025-07-01'"),
    ("day_2025_b", "day_2025", "'2025-07-01'", "'2026-01-01'"),
];

/// How statements of writers may end: what else happens is a fault.
const OF_WRITERS: [&str; 10] = [
    "00000", // it worked
    "23514", // there is no partition now for such a row, or rows for the partition in another
    "40001", // a row was changed after the snapshot
    "40P01", // writers lock each other's partitions (that a refresh has no part in it is checked)
    "42809", // it is a partition already
    "42P01", // it is not there, or no partition
    "42P07", // somebody else has made it
    "55P03", // a prepared transaction has the lock
    "57P01", // killed
    "gone",  // killed
];

/// How refreshes may end.
const OF_REFRESHERS: [&str; 6] = [
    "00000", // it succeeded
    "40001", // its source is written anew again and again
    "55P03", // somebody else refreshes the model
    "57014", // cancelled, or timed out
    "57P01", // killed
    "gone",  // killed
];

/// Nothing here takes as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all threads share.
struct Stress {
    database: Database,
    seed: u64,
    is_over: AtomicBool,
    prepared: AtomicU64,
    /// How often something ended in a way.
    endings: Mutex<BTreeMap<(&'static str, String), u64>>,
    faults: Mutex<Vec<String>>,
    /// The backends of all who have refreshed.
    refreshers: Mutex<Vec<i32>>,
}

impl Stress {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Random choices of one of the threads.
    fn dice(&self, thread: usize) -> Dice {
        Dice::new(self.seed * 1000 + thread as u64)
    }

    fn count(&self, what: &'static str, ending: &str) {
        let mut endings = self.endings.lock().expect("no panic held it");
        *endings.entry((what, ending.to_owned())).or_default() += 1;
    }

    fn fault(&self, fault: String) {
        println!("FAULT: {fault}");
        self.faults.lock().expect("no panic held it").push(fault);
    }
}

struct Writer<'a> {
    stress: &'a Stress,
    number: usize,
    dice: Dice,
    session: Session,
}

impl Writer<'_> {
    /// Sees to how a statement ended; returns whether it worked.
    fn judge<T>(&mut self, sql: &str, result: &Result<T, postgres::Error>) -> bool {
        let ending = ending(result);
        self.stress.count("statements", &ending);
        if let Err(error) = result {
            let found = pg_assess_it::describe(error);
            let refreshers = self.stress.refreshers.lock().expect("no panic held it");
            let is_deadlock_with_refresh = ending == "40P01"
                && refreshers
                    .iter()
                    .any(|pid| found.contains(&format!("rocess {pid} ")));
            if is_deadlock_with_refresh || !OF_WRITERS.contains(&ending.as_str()) {
                self.stress.fault(format!("{found}\n{sql}"));
            }
            drop(refreshers);
            if self.session.is_closed() {
                self.session = self.stress.database.session_after_restart();
                self.prepare_session();
            } else {
                let _ = self.session.simple_query("ROLLBACK");
            }
        }
        result.is_ok()
    }

    fn run(&mut self, sql: &str) -> bool {
        let result = self.session.simple_query(sql);
        self.judge(sql, &result)
    }

    fn prepare_session(&mut self) {
        let zone = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"][self.dice.below(3)];
        // Longer than this is no wait for a prepared transaction.
        let sql = format!(
            "SET lock_timeout = '3s'; SET statement_timeout = '{}s'; SET timezone = '{zone}'",
            PATIENCE.as_secs()
        );
        let _ = self.session.simple_query(&sql);
    }

    /// A student of this writer, so that no two wait for a row of each other.
    fn student(&mut self) -> usize {
        1 + self.number + WRITERS * self.dice.below(7)
    }

    fn nap(&mut self) {
        thread::sleep(Duration::from_millis(self.dice.below(300) as u64));
    }

    /// A statement that changes rows of a table.
    fn change(&mut self, table: &str) -> String {
        let (a, b) = (self.student(), self.dice.below(30) + 1);
        let values = format!(
            "SELECT student, subject, school, 100 + test, question, points, at + interval '{b} hours'
             FROM made WHERE student = {a} AND test = {b}"
        );
        let insert = format!("INSERT INTO {table} ({COLUMNS})");
        let odd = [
            "NULL",
            "'infinity'",
            "'-infinity'",
            "'1850-03-01'",
            "'2200-01-01'",
        ][self.dice.below(5)];
        match self.dice.below(14) {
            0..=3 => format!("{insert} {values}"),
            4 => format!(
                "{insert} VALUES ({a}, 'Art', 'East', {b}, 7, 1, '2025-05-01'), \
                                 ({a}, 'Art', NULL, {b}, NULL, 1, '2025-08-{b:02}')"
            ),
            5 => format!("{insert} VALUES ({a}, 'Math', 'East', {b}, 7, 1, {odd})"),
            6 => format!("UPDATE {table} SET points = 1 - points WHERE student = {a} AND id % 3 = 0"),
            7 => format!("UPDATE {table} SET at = at + {b} * interval '1 day' WHERE student = {a} AND test = {b}"),
            8 => format!("UPDATE {table} SET at = {odd} WHERE student = {a} AND test = {b}"),
            9 => format!(
                "UPDATE {table} SET school = CASE WHEN test % 2 = 0 THEN 'West' END, subject = 'Math'
                 WHERE student = {a} AND test > {b}"
            ),
            10 => format!("DELETE FROM {table} WHERE student = {a} AND test = {b}"),
            11 => format!("DELETE FROM {table} WHERE student = {a} AND id % 7 = 0"),
            12 => format!(
                "MERGE INTO {table} t USING (SELECT * FROM made WHERE student = {a}) m
                     ON t.student = m.student AND t.question = m.question
                 WHEN MATCHED AND t.test % 7 = 0 THEN DELETE
                 WHEN MATCHED AND t.test % 7 = 1 THEN UPDATE SET points = 0
                 WHEN NOT MATCHED THEN INSERT ({COLUMNS})
                     VALUES (m.student, m.subject, m.school, m.test, m.question, m.points, m.at)"
            ),
            _ => format!(
                "WITH gone AS (DELETE FROM {table} WHERE student = {a} AND test = {b} RETURNING *)
                 {insert} SELECT student, subject, school, test, question, 1, at - interval '40 days' FROM gone"
            ),
        }
    }

    fn copy(&mut self, table: &str) {
        let (a, b) = (self.student(), self.dice.below(30) + 1);
        let mut lines = String::new();
        for question in 0..=self.dice.below(20) {
            lines += &format!(
                "{a}\tMath\t\\N\t{b}\t{question}\t{}\t2025-{:02}-{b:02}\n",
                self.dice.below(2),
                // No month is too short for it.
                [1, 3, 5, 7, 8, 10, 12][self.dice.below(7)]
            );
        }
        let sql = format!("COPY {table} ({COLUMNS}) FROM STDIN");
        let result = self.session.copy_in(&sql).and_then(|mut into| {
            // What the server thinks of it, it says at the end.
            let _ = into.write_all(lines.as_bytes());
            into.finish()
        });
        self.judge(&sql, &result);
    }

    /// Several changes in one transaction, with savepoints, that ends by this statement.
    fn transaction(&mut self, table: &str, end: &str) -> bool {
        let level = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"][self.dice.below(3)];
        if !self.run(&format!("BEGIN ISOLATION LEVEL {level}")) {
            return false;
        }
        for _ in 0..=self.dice.below(3) {
            let change = self.change(table);
            let sql = match self.dice.below(4) {
                0 => format!("SAVEPOINT s; {change}; ROLLBACK TO s"),
                1 => format!("SAVEPOINT s; {change}; RELEASE s"),
                _ => change,
            };
            if !self.run(&sql) {
                return false;
            }
        }
        if self.dice.below(4) == 0 {
            self.nap();
        }
        self.run(end)
    }

    /// A partition leaves, changes meanwhile or is replaced, and comes back: at once or bit by bit.
    fn move_partition(&mut self) {
        let (name, parent, from, to) = PARTITIONS[self.dice.below(PARTITIONS.len())];
        let a = self.student();
        let detach = format!("ALTER TABLE {parent} DETACH PARTITION {name}");
        let change = match self.dice.below(4) {
            0 => String::new(),
            3 if name != "day_2025" => format!(
                "CREATE TABLE {name}_new (LIKE {name} INCLUDING DEFAULTS);
                 INSERT INTO {name}_new SELECT * FROM {name} WHERE student <> {a};
                 DROP TABLE {name}; ALTER TABLE {name}_new RENAME TO {name}"
            ),
            1 => format!("DELETE FROM {name} WHERE student = {a}"),
            _ => format!("UPDATE {name} SET points = 1 - points WHERE student = {a}"),
        };
        // The top first, as all who write to it do.
        let lock = "LOCK TABLE by_day";
        // Such rows went elsewhere meanwhile.
        let lower = match from {
            "MINVALUE" => "'-infinity'",
            bound => bound,
        };
        let attach = format!(
            "WITH gone AS (DELETE FROM day_rest WHERE at >= {lower} AND at < {to} RETURNING *)
             INSERT INTO {name} SELECT * FROM gone;
             ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})"
        );
        if self.dice.below(2) == 0 {
            self.run(&format!(
                "BEGIN; {lock}; {detach}; {change}; {attach}; COMMIT"
            ));
        } else {
            for sql in [detach, change, format!("{lock}; {attach}")] {
                self.run(&format!("BEGIN; {sql}; COMMIT"));
                self.nap();
            }
        }
    }

    fn empty(&mut self, table: &str) {
        let then = match self.dice.below(3) {
            0 => self.change(table),
            _ => fill(table),
        };
        self.run(&format!("BEGIN; TRUNCATE {table}; {then}; COMMIT"));
    }

    fn turn(&mut self, turn: u64) {
        let source = SOURCES[self.dice.below(SOURCES.len())];
        // Some name a partition, not the whole.
        let table = match self.dice.below(5) {
            0 if source == "by_day" => PARTITIONS[self.dice.below(PARTITIONS.len())].0,
            _ => source,
        };
        match self.dice.below(1000) {
            0..=2 => self.empty(table),
            3..=9 => self.move_partition(),
            10..=59 => {
                let prepare = format!("PREPARE TRANSACTION '{} {turn}'", self.number);
                if self.transaction(source, &prepare) {
                    self.stress.prepared.fetch_add(1, Ordering::Relaxed);
                }
            }
            60..=199 => {
                let end = ["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"][self.dice.below(4)];
                self.transaction(table, end);
            }
            200..=299 => self.copy(table),
            _ => {
                let sql = self.change(table);
                self.run(&sql);
            }
        }
    }
}

fn write(stress: &Stress, number: usize) {
    let mut writer = Writer {
        stress,
        number,
        dice: stress.dice(number),
        session: stress.database.session_after_restart(),
    };
    writer.prepare_session();
    let mut turn = 0;
    while !stress.is_over() {
        turn += 1;
        writer.turn(turn);
    }
}

fn refresh(stress: &Stress, number: usize) {
    let mut dice = stress.dice(number);
    let mut session = stress.database.session_after_restart();
    while !stress.is_over() {
        if let Ok(row) = session.query_one("SELECT pg_backend_pid()", &[]) {
            let mut refreshers = stress.refreshers.lock().expect("no panic held it");
            refreshers.push(row.get(0));
            refreshers.dedup();
        }
        let name = MODELS[dice.below(MODELS.len())];
        let everything = dice.below(20) == 0;
        let after = dice.below(600) as u64;
        let stop = match dice.below(3) {
            0 => Stop::Cancel(after),
            1 => Stop::Timeout(after),
            _ => Stop::Timeout(PATIENCE.as_millis() as u64),
        };
        let began = Instant::now();
        let sql = format!("CALL assess.refresh('{name}', {everything})");
        let (ending, found) = stopped(&mut session, &sql, stop);
        stress.count("refreshes", &ending);
        if !OF_REFRESHERS.contains(&ending.as_str()) || began.elapsed() >= PATIENCE {
            stress.fault(format!("{found}, after {:?}\n{sql}", began.elapsed()));
        }
        if session.is_closed() {
            session = stress.database.session_after_restart();
        }
    }
}

/// Ends prepared transactions some time after they were prepared, and kills now and then.
fn end_and_kill(stress: &Stress, number: usize) {
    let mut dice = stress.dice(number);
    let mut session = stress.database.session_after_restart();
    let mut next_kill = Instant::now() + Duration::from_secs(5);
    while !stress.is_over() {
        thread::sleep(Duration::from_millis(100));
        if session.is_closed() {
            session = stress.database.session_after_restart();
        }
        end_prepared(stress, &mut session, &mut dice, 3);
        if Instant::now() > next_kill {
            next_kill = Instant::now() + Duration::from_millis(4000 + dice.below(8000) as u64);
            let victim = session.query_opt(
                "SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND backend_type = 'client backend'
                 AND   pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
                &[],
            );
            let Ok(Some(victim)) = victim else { continue };
            let victim: i32 = victim.get(0);
            if dice.below(3) == 0 {
                let terminate = format!("SELECT pg_terminate_backend({victim})");
                stress.count("kills", "pg_terminate_backend");
                let _ = session.simple_query(&terminate);
            } else {
                stress.count("kills", "kill -9");
                let _ = Command::new("kill")
                    .args(["-9", &victim.to_string()])
                    .status();
            }
        }
    }
}

/// Ends one in so many of the prepared transactions.
fn end_prepared(stress: &Stress, session: &mut Session, dice: &mut Dice, one_in: usize) {
    let Ok(found) = session.query("SELECT gid FROM pg_prepared_xacts ORDER BY gid", &[]) else {
        return;
    };
    for row in found {
        if dice.below(one_in) == 0 {
            let gid: String = row.get(0);
            let how = match dice.below(100) {
                0..15 => "ROLLBACK",
                _ => "COMMIT",
            };
            let result = session.simple_query(&format!("{how} PREPARED '{gid}'"));
            let ending = ending(&result);
            stress.count("ends of prepared transactions", &format!("{how} {ending}"));
            if session.is_closed() {
                return;
            }
            // It is seen before the process that prepares it has done with it: then another time.
            if let Err(error) = result
                && ending != "55000"
            {
                stress.fault(format!(
                    "{how} PREPARED: {}",
                    pg_assess_it::describe(&error)
                ));
            }
        }
    }
}

/// Everything as it is in the end, after one ordinary refresh of each.
fn compare(stress: &Stress) {
    let mut session = stress.database.session_after_restart();
    session.run(&format!(
        "SET statement_timeout = '{}s'",
        PATIENCE.as_secs()
    ));
    end_prepared(stress, &mut session, &mut stress.dice(0), 1);
    for (name, table) in MODELS.iter().zip(SOURCES.iter().chain(["by_day"].iter())) {
        session.run(&format!("CALL assess.refresh('{name}')"));
        let whole = format!("whole_{name}");
        model(&mut session, &whole, table, "");
        session.run(&format!("CALL assess.refresh('{whole}')"));
        for found in differences(&mut session, name, &whole) {
            stress.fault(format!("after a refresh: {found}"));
        }
        if *name == "untracked" {
            continue;
        }
        let notes: i64 = session.one(&format!("SELECT count(*) FROM {name}.changes"));
        if notes > 0 {
            stress.fault(format!("{notes} notes are left in {name}.changes"));
        }
        let parts = format!(
            "SELECT to_jsonb(p) - 'row_id' FROM {name}.stored_parts p
             ORDER BY subject, student_group, period"
        );
        let stored = session.table(&parts);
        session.run(&format!(
            "CALL assess.refresh('{name}', everything => true)"
        ));
        if session.table(&parts) != stored {
            stress.fault(format!("{name}.stored_parts are not those of a full read"));
        }
        for found in differences(&mut session, name, &whole) {
            stress.fault(format!("after a refresh of everything: {found}"));
        }
        println!("{name}: {} parts compared with a full read", stored.len());
    }
}

fn main() {
    let duration = pg_assess_it::number("DURATION");
    let server = Server::start("max_prepared_transactions = 100\nmax_connections = 50");
    let stress = Stress {
        database: Database::on(&server.host),
        seed: pg_assess_it::seed(),
        is_over: AtomicBool::new(false),
        prepared: AtomicU64::new(0),
        endings: Mutex::default(),
        faults: Mutex::default(),
        refreshers: Mutex::default(),
    };
    let mut session = stress.database.session();
    session.run(MADE);
    session.run(&responses("by_month", "timestamp", ""));
    session.run(&responses("by_week", "timestamptz", ""));
    session.run(&responses("by_day", "date", "PARTITION BY RANGE (at)"));
    session.run("CREATE TABLE day_rest PARTITION OF by_day DEFAULT");
    for (name, parent, from, to) in PARTITIONS {
        let kind = if name == "day_2025" {
            "PARTITION BY RANGE (at)"
        } else {
            ""
        };
        session.run(&format!(
            "CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ({from}) TO ({to}) {kind}"
        ));
    }
    for table in SOURCES {
        session.run(&fill(table));
    }
    for (name, table, period) in [
        ("month", "by_month", "month"),
        ("week", "by_week", "week"),
        ("day", "by_day", "day"),
    ] {
        let tracked = format!(", track_changes => 'triggers', period => '{period}'");
        model(&mut session, name, table, &tracked);
    }
    model(&mut session, "untracked", "by_day", "");

    thread::scope(|scope| {
        let stress = &stress;
        for number in 0..WRITERS {
            scope.spawn(move || write(stress, number));
        }
        for number in WRITERS..WRITERS + REFRESHERS {
            scope.spawn(move || refresh(stress, number));
        }
        scope.spawn(move || end_and_kill(stress, WRITERS + REFRESHERS));
        thread::sleep(Duration::from_secs(duration));
        stress.is_over.store(true, Ordering::Relaxed);
    });
    compare(&stress);

    println!("prepared: {}", stress.prepared.into_inner());
    let mut before = "";
    for ((what, ending), count) in stress.endings.into_inner().expect("no panic held it") {
        if what != before {
            println!("{what}, by how they ended:");
            before = what;
        }
        println!("{count:8} {ending}");
    }
    let faults = stress.faults.into_inner().expect("no panic held it");
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    println!("All models hold what a full read gives.");
}
