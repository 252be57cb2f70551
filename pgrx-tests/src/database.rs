//! Databases and servers of one's own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Session, environment, root};

/// A database that nobody else uses, so that tests can run side by side.
pub struct Database {
    host: String,
    name: String,
}

impl Database {
    /// One with the extension.
    #[expect(clippy::new_without_default, reason = "it is made on a server")]
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
            .expect("the script names its host");
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
