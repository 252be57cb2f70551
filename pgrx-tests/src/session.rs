//! A connection, and what the server says on it.

use std::io::{Read, Write};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use postgres::error::DbError;
use postgres::types::FromSqlOwned;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::environment;

/// A connection that remembers the notices and warnings it was sent.
pub struct Session {
    client: Client,
    notices: Arc<Mutex<Vec<DbError>>>,
}

impl Session {
    /// In the database in which those of the tests are made and dropped.
    pub(crate) fn maintenance(host: &str) -> Self {
        Self::open(host, &environment("PGDATABASE"), &environment("PGUSER"))
    }

    pub(crate) fn open(host: &str, database: &str, role: &str) -> Self {
        Self::connect(host, database, role).expect("the server of tests/with_postgres.sh answers")
    }

    pub(crate) fn connect(host: &str, database: &str, role: &str) -> Result<Self, postgres::Error> {
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
                Some(refusal) => refusal.clone(),
                None => panic!("the server is gone: {error}\n{sql}"),
            },
        }
    }

    /// Asserts that a statement fails with an SQLSTATE, and says what is wrong and what to do.
    #[track_caller]
    pub fn refuses(&mut self, sql: &str, code: &str) -> DbError {
        let error = self.fails(sql);
        assert_eq!(error.code().code(), code, "{error}\n{sql}");
        let is_said = |said: Option<&str>| said.is_some_and(|said| !said.is_empty());
        assert!(is_said(error.detail()), "no DETAIL: {error}\n{sql}");
        assert!(is_said(error.hint()), "no HINT: {error}\n{sql}");
        error
    }

    /// Makes the table `to` out of what COPY writes of the table `from`; returns its rows.
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
    let found = result.as_ref().err().map(describe).unwrap_or_default();
    (ending(&result), found)
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
        Some(refusal) => format!(
            "{} {}: {} {}",
            refusal.code().code(),
            refusal.message(),
            refusal.detail().unwrap_or_default(),
            refusal.hint().unwrap_or_default(),
        ),
        None => error.to_string(),
    }
}
