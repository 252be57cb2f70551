//! What all tests share: a database of one's own, a session that keeps what the server says beside
//! its answers, and the data that lie outside the tree.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod source;

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use postgres::error::DbError;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, FromSqlOwned, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// A database that nobody else uses, so that tests can run side by side.
pub struct Database {
    host: String,
    name: String,
}

impl Database {
    /// One with the extension.
    pub fn new() -> Self {
        Self::on(&environment("PGHOST"))
    }

    /// One with the extension on the server at a host.
    pub fn on(host: &str) -> Self {
        let database = Self::made_with(host, "");
        database.session().run("CREATE EXTENSION pg_assess");
        database
    }

    /// One without the extension.
    pub fn bare() -> Self {
        Self::made_with(&environment("PGHOST"), "")
    }

    /// One of a name of its own on the server at a host, with the extension.
    pub fn named(host: &str, name: &str) -> Self {
        Session::maintenance(host).run(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        let database = Self {
            host: host.to_owned(),
            name: name.to_owned(),
        };
        database.session().run("CREATE EXTENSION pg_assess");
        database
    }

    /// One without the extension, in an encoding.
    pub fn encoded(encoding: &str) -> Self {
        let options = format!("ENCODING '{encoding}' LOCALE 'C'");
        Self::made_with(&environment("PGHOST"), &options)
    }

    fn made_with(host: &str, options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("assess_test_{}_{count}", std::process::id());
        Session::maintenance(host).run(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 {options}"
        ));
        let host = host.to_owned();
        Self { host, name }
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new connection: a backend of its own.
    pub fn session(&self) -> Session {
        self.session_as(&environment("PGUSER"))
    }

    pub fn session_as(&self, role: &str) -> Session {
        Session::open(&self.host, &self.name, role)
    }

    /// A new connection as soon as the server takes one: it may be starting again.
    pub fn session_after_restart(&self) -> Session {
        for _ in 0..600 {
            if let Ok(session) = Session::connect(&self.host, &self.name, &environment("PGUSER")) {
                return session;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the server has not come back within a minute")
    }

    /// A new database with all that pg_dump, called with an option, wrote of this one.
    pub fn restored(&self, option: &str) -> Self {
        let dump = Command::new("pg_dump")
            .args([option, "--no-owner", self.name()])
            .output()
            .expect("pg_dump runs");
        assert!(
            dump.status.success(),
            "{}",
            String::from_utf8_lossy(&dump.stderr)
        );
        let restored = Self::bare();
        let mut psql = Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", restored.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql runs");
        let mut input = psql.stdin.take().expect("psql reads");
        input.write_all(&dump.stdout).expect("psql takes the dump");
        drop(input);
        assert!(psql.wait().expect("psql ends").success());
        restored
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut session = Session::maintenance(&self.host);
        // Another panic while a test fails would hide why.
        let _ = session.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A server beside that of the other tests, which ends when its input does: also when the tests
/// are killed.
pub struct Server {
    script: Child,
    pub host: String,
}

impl Server {
    /// One with these lines in its postgresql.conf.
    pub fn start(settings: &str) -> Self {
        let mut script = Command::new(root().join("tests/with_postgres.sh"))
            .args(["sh", "-c", "echo \"$PGHOST\"; exec cat"])
            .env("PG_ASSESS_SETTINGS", settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/with_postgres.sh runs");
        let mut host = String::new();
        let output = script.stdout.as_mut().expect("is piped");
        BufReader::new(output)
            .read_line(&mut host)
            .expect("the script tells its host");
        let host = host.trim_end().to_owned();
        assert!(!host.is_empty(), "the other server has not started");
        Self { script, host }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// A connection that remembers the notices and warnings it was sent.
pub struct Session {
    client: Client,
    notices: Arc<Mutex<Vec<DbError>>>,
}

impl Session {
    /// In the database in which those of the tests are made and dropped.
    fn maintenance(host: &str) -> Self {
        Self::open(host, &environment("PGDATABASE"), &environment("PGUSER"))
    }

    fn open(host: &str, database: &str, role: &str) -> Self {
        Self::connect(host, database, role).expect("the server of tests/with_postgres.sh answers")
    }

    fn connect(host: &str, database: &str, role: &str) -> Result<Self, postgres::Error> {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&notices);
        let client = Config::new()
            .host(host)
            .port(environment("PGPORT").parse().expect("PGPORT is a number"))
            .user(role)
            .dbname(database)
            // Compiling takes longer than the small queries of the tests, and far more memory.
            .options("-c jit=off")
            .notice_callback(move |notice| keep.lock().expect("no panic held it").push(notice))
            .connect(NoTls)?;
        Ok(Self { client, notices })
    }

    /// Runs statements that must succeed.
    pub fn run(&mut self, sql: &str) {
        if let Err(error) = self.client.batch_execute(sql) {
            panic!("{}\n{sql}", describe(&error));
        }
    }

    /// The only value of a query.
    pub fn one<T: FromSqlOwned>(&mut self, sql: &str) -> T {
        match self.client.query_one(sql, &[]) {
            Ok(row) => row.get(0),
            Err(error) => panic!("{}\n{sql}", describe(&error)),
        }
    }

    /// All rows as psql would show them unaligned: columns apart by `|`, NULL as `-`.
    pub fn table(&mut self, sql: &str) -> Vec<String> {
        let messages = match self.client.simple_query(sql) {
            Ok(messages) => messages,
            Err(error) => panic!("{}\n{sql}", describe(&error)),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let columns: Vec<&str> = (0..row.len())
                .map(|at| row.get(at).unwrap_or("-"))
                .collect();
            columns.join("|")
        })
        .collect()
    }

    /// How a statement fails, which it must.
    pub fn fails(&mut self, sql: &str) -> DbError {
        match self.client.simple_query(sql) {
            Ok(_) => panic!("this should have failed:\n{sql}"),
            Err(error) => match error.as_db_error() {
                Some(told) => told.clone(),
                None => panic!("the server is gone: {error}\n{sql}"),
            },
        }
    }

    /// Asserts that a statement fails with an SQLSTATE, and tells what is wrong and what to do.
    #[track_caller]
    pub fn refuses(&mut self, sql: &str, code: &str) -> DbError {
        let told = self.fails(sql);
        assert_eq!(told.code().code(), code, "{told}\n{sql}");
        let is_said = |said: Option<&str>| said.is_some_and(|said| !said.is_empty());
        assert!(is_said(told.detail()), "no DETAIL: {told}\n{sql}");
        assert!(is_said(told.hint()), "no HINT: {told}\n{sql}");
        told
    }

    /// Makes the table `to` out of what COPY writes of the table `from`, and tells its rows.
    pub fn copy(&mut self, from: &str, to: &str, format: &str) -> u64 {
        let mut file = Vec::new();
        let mut out = self
            .copy_out(&format!("COPY {from} TO STDOUT (FORMAT {format})"))
            .expect("copies out");
        out.read_to_end(&mut file).expect("reads");
        drop(out);
        self.run(&format!("CREATE TABLE {to} (LIKE {from})"));
        let mut into = self
            .copy_in(&format!("COPY {to} FROM STDIN (FORMAT {format})"))
            .expect("copies in");
        into.write_all(&file).expect("writes");
        into.finish().expect("ends")
    }

    /// The plan of a query.
    pub fn plan(&mut self, sql: &str) -> String {
        self.table(&format!("EXPLAIN (COSTS OFF) {sql}")).join("\n")
    }

    /// What the server has said beside its answers since the last call.
    pub fn notices(&mut self) -> Vec<DbError> {
        std::mem::take(&mut self.notices.lock().expect("no panic held it"))
    }

    /// The backend's process; another one after a crash.
    pub fn backend(&mut self) -> i32 {
        self.one("SELECT pg_backend_pid()")
    }

    /// Memory of the backend in KB: `VmRSS` now, `VmHWM` at most. None where /proc is not Linux's.
    pub fn memory(&mut self, what: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.backend())).ok()?;
        let line = status.lines().find(|line| line.starts_with(what))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Deref for Session {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// When a statement is broken off, in milliseconds after it began.
#[derive(Clone, Copy)]
pub enum Stop {
    Cancel(u64),
    Timeout(u64),
}

/// Runs a statement that may be stopped; returns how it ended, and what the server said of it.
pub fn stopped(session: &mut Session, statement: &str, stop: Stop) -> (String, String) {
    let cancel = session.cancel_token();
    let timeout = match stop {
        Stop::Timeout(after) => after.max(1),
        Stop::Cancel(_) => 0,
    };
    // The cancel of the statement before may come late.
    while session
        .simple_query(&format!("SET statement_timeout = {timeout}"))
        .is_err()
    {
        if session.is_closed() {
            return ("gone".to_owned(), String::new());
        }
    }
    let result = thread::scope(|scope| {
        if let Stop::Cancel(after) = stop {
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(after));
                // A statement that has ended already is not there to be cancelled.
                let _ = cancel.cancel_query(NoTls);
            });
        }
        session.simple_query(statement)
    });
    let told = result.as_ref().err().map(describe).unwrap_or_default();
    (ending(&result), told)
}

/// How a statement ended: its SQLSTATE, or `gone` where the connection is.
pub fn ending<T>(result: &Result<T, postgres::Error>) -> String {
    match result {
        Ok(_) => "00000".to_owned(),
        Err(error) => error
            .code()
            .map_or_else(|| "gone".to_owned(), |code| code.code().to_owned()),
    }
}

/// An error with all that the server said.
pub fn describe(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) => format!(
            "{} {}: {} {}",
            told.code().code(),
            told.message(),
            told.detail().unwrap_or_default(),
            told.hint().unwrap_or_default(),
        ),
        None => error.to_string(),
    }
}

pub fn environment(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run this through tests/with_postgres.sh"))
}

/// A number that `make` passes on.
pub fn number(name: &str) -> u64 {
    environment(name)
        .parse()
        .unwrap_or_else(|_| panic!("{name} is not a number"))
}

/// What begins the random choices of a long test: SEED, or else one of the clock. It is printed, so that
/// the test can be had again.
pub fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(given) if !given.is_empty() => number("SEED"),
        _ => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.expect("it is later than 1970").as_secs()
        }
    };
    println!("SEED={seed}");
    seed
}

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file or folder of the data beside the tree; none, and told, where there is none.
pub fn shared_data(what: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(what);
    if path.exists() {
        return Some(path);
    }
    let thread = thread::current();
    println!("skipped: {}: no shared data", thread.name().unwrap_or(what));
    None
}

/// Whether the server has an extension; told where it has not.
pub fn is_available(extension: &str) -> bool {
    let found: bool = Session::maintenance(&environment("PGHOST")).one(&format!(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = '{extension}')"
    ));
    if !found {
        let thread = thread::current();
        println!(
            "skipped: {}: no {extension}",
            thread.name().unwrap_or("test")
        );
    }
    found
}

/// The lines of a text as rows whose columns stand apart by `|`.
pub fn rows<const N: usize>(text: &str) -> Vec<[&str; N]> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            columns
                .try_into()
                .unwrap_or_else(|_| panic!("not {N} columns: {line}"))
        })
        .collect()
}

/// Responses as they come: graded, unmarked, out of range, without an upper bound, repeated.
pub const RESPONSES: &str = "
    CREATE TABLE responses (
        student text, item int, assessment text, score float8, max_score float8, taken_on date);
    INSERT INTO responses
    SELECT 's' || student, 100 * assessment + question, 'test ' || assessment,
           CASE WHEN dice % 41 = 0 THEN NULL
                WHEN question = 10 THEN 80 + student / 4 + dice % 40
                WHEN dice % 43 = 0 THEN 9
                ELSE least(4, dice * student / 9000 % 5) END,
           CASE question WHEN 10 THEN 'Infinity'::float8 ELSE 4 END,
           date '2026-01-05' + 7 * assessment + attempt + student % 3
    FROM generate_series(1, 90) student, generate_series(1, 12) assessment,
         generate_series(1, 10) question, generate_series(0, 1) attempt,
         abs(hashint8(((student * 100 + assessment) * 100 + question) * 2 + attempt) % 1000) dice
    WHERE attempt = 0 OR (student + assessment) % 23 = 0;
    ANALYZE responses;";

/// The aggregate of the columns of [`RESPONSES`].
pub const AGGREGATE: &str =
    "assess.gradebook_agg(student, item, assessment, score, max_score, taken_on)";

/// A gradebook of a table with the columns of [`RESPONSES`].
pub fn gradebook_of(table: &str) -> String {
    format!("SELECT {AGGREGATE} AS gb FROM {table}")
}

/// Settings under which even a small table is read by two workers.
pub const PARALLEL: &str = "
    SET parallel_setup_cost = 0;
    SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0;
    SET max_parallel_workers_per_gather = 2";

/// Settings under which no table is.
pub const SERIAL: &str = "SET max_parallel_workers_per_gather = 0";

/// A value of any type as its bytes on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire(pub Vec<u8>);

impl ToSql for Wire {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Wire {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Changes, cuts, repeats and inserts, the same in every run.
pub struct Mutations {
    pub state: u64,
}

impl Mutations {
    pub fn below(&mut self, end: usize) -> usize {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.state = self
            .state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.state >> 33) as usize % end.max(1)
    }

    pub fn mutate(&mut self, original: &[u8], alphabet: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..1 + self.below(3) {
            let at = self.below(bytes.len());
            let new = alphabet[self.below(alphabet.len())];
            match self.below(5) {
                0 | 1 => bytes[at] = new,
                2 => bytes.insert(at, new),
                3 => bytes.truncate(at + 1),
                _ => {
                    let tail = bytes[at..].to_vec();
                    bytes.extend(tail);
                }
            }
        }
        bytes
    }
}
