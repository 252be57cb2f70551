//! What administrators see to: rights, runs, sessions, schedules, publications, versions.

mod publications;
mod rights;
mod runs;
mod scheduler;
mod sessions;
mod versions;
