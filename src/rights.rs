//! The boundary of rights: what belongs to a model runs with the rights of its owner, whoever calls,
//! and leaves nothing behind in the session of the caller.
//!
//! `SET ROLE` is no such boundary, as the code that runs can leave it. This one is that of Postgres's
//! own maintenance commands: a security-restricted operation (SetUserIdAndSecContext in
//! src/backend/utils/init/miscinit.c) within a nest level of settings. What such an operation leaves
//! open is closed here: cursors, session-level advisory locks, deferred triggers, and objects in the
//! temporary schema. docs/adr/0019-rights.md has the reasons.

use std::ffi::{CStr, CString, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{self, Oid, PortalStatus};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode as Code, PgTryBuilder};

use crate::error::Result;
use crate::varlena::Arguments;

/// Whether code runs that must leave nothing behind.
static IS_INSIDE: AtomicBool = AtomicBool::new(false);
/// The hook that was there before.
static mut NEXT_HOOK: pg_sys::object_access_hook_type = None;

/// Called once, when the library is loaded.
pub fn start() {
    // SAFETY: a backend has one thread, and hooks are chained as every extension does.
    unsafe {
        NEXT_HOOK = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(on_object_access);
    }
}

/// `_as_owner(owner, statement, is_restricted)`: runs a statement with the rights of a role; returns
/// the first column of its first row as text.
///
/// `is_restricted` is false for what restricts itself and cannot run within a restricted operation:
/// `REFRESH MATERIALIZED VIEW CONCURRENTLY`. Postgres refuses to defer a trigger within one
/// (afterTriggerMarkEvents in src/backend/commands/trigger.c).
#[pg_extern(sql = false)]
fn as_owner(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>> {
    let mut from = Arguments::of(fcinfo);
    let owner = from.required::<Oid>("owner")?;
    let statement = from.required::<String>("statement")?;
    let is_restricted = from.boolean();
    if !may_become(owner) {
        let message = "permission denied to run a statement for another role";
        return Err(
            ErrorReport::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message, "")
                .set_detail("The current role may not SET ROLE to it.")
                .set_hint("Call as that role, or as a member of it."),
        );
    }
    let settings = Settings::pinned();
    let before = Traces::of_session();
    let cursors = Cursors::of_session();
    let was_inside = IS_INSIDE.swap(true, Relaxed);
    cursors.lock();
    let result = PgTryBuilder::new(|| with_rights_of(owner, is_restricted, &statement))
        .finally(|| {
            IS_INSIDE.store(was_inside, Relaxed);
            cursors.unlock();
        })
        .execute();
    cursors.close_others();
    before.compare(&Traces::of_session())?;
    settings.put_back();
    Ok(result)
}

/// Whether the current role may take another's rights.
fn may_become(role: Oid) -> bool {
    // SAFETY: only reads catalogs.
    unsafe {
        let current = pg_sys::GetUserId();
        #[cfg(feature = "pg15")]
        let may = pg_sys::is_member_of_role(current, role);
        // From 16 on members may be kept from SET ROLE.
        #[cfg(not(feature = "pg15"))]
        let may = pg_sys::member_can_set_role(current, role);
        may
    }
}

/// Runs a statement as a role; where it fails, the abort of its (sub)transaction puts the role back.
fn with_rights_of(role: Oid, is_restricted: bool, statement: &str) -> Option<String> {
    let mut caller = Oid::INVALID;
    let mut context: c_int = 0;
    let mut local = pg_sys::SECURITY_LOCAL_USERID_CHANGE as c_int;
    if is_restricted {
        local |= pg_sys::SECURITY_RESTRICTED_OPERATION as c_int;
    }
    let settings = Settings::pinned();
    // SAFETY: as in Postgres's own maintenance commands, the one brackets the other.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut caller, &mut context);
        pg_sys::SetUserIdAndSecContext(role, context | local);
    }
    let result = run(statement);
    // SAFETY: these are the values of before.
    unsafe { pg_sys::SetUserIdAndSecContext(caller, context) };
    settings.put_back();
    result
}

/// Runs a statement; returns the first column of its first row as text, whatever its type.
fn run(statement: &str) -> Option<String> {
    let value = Spi::connect_mut(|client| {
        let table = client.update(statement, Some(1), &[])?;
        if table.is_empty() || table.columns()? == 0 {
            return Ok(None);
        }
        // SAFETY: the result of the statement has a first row, which has a first column.
        let value = unsafe {
            let rows = pg_sys::SPI_tuptable;
            let text = pg_sys::SPI_getvalue(*(*rows).vals, (*rows).tupdesc, 1);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        };
        Ok(value)
    });
    value.unwrap_or_else(|error: spi::Error| error!("{error}"))
}

/// The values of the first column of a query over catalogs.
fn list<T: FromDatum + IntoDatum>(query: &str) -> Vec<T> {
    // Not a read-only one, which would not see what the transaction has just made.
    let values = Spi::connect_mut(|client| {
        let rows = client.update(query, None, &[])?;
        rows.filter_map(|row| row.get::<T>(1).transpose())
            .collect::<std::result::Result<Vec<_>, _>>()
    });
    values.unwrap_or_else(|error| error!("{error}"))
}

/// A nest level of settings, in which names without a schema are those of `pg_catalog`. Where a
/// statement fails, the abort of its (sub)transaction puts them back.
struct Settings {
    level: c_int,
}

impl Settings {
    fn pinned() -> Self {
        // SAFETY: both strings are constant, and put_back() ends the level.
        unsafe {
            let level = pg_sys::NewGUCNestLevel();
            pg_sys::set_config_option(
                c"search_path".as_ptr(),
                c"pg_catalog, pg_temp".as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
            Self { level }
        }
    }

    fn put_back(self) {
        // SAFETY: the level began in pinned().
        unsafe { pg_sys::AtEOXact_GUC(false, self.level) };
    }
}

/// The cursors of the session, which plpgsql can fetch from and close within a restricted operation
/// too.
struct Cursors {
    before: Vec<(String, pg_sys::Portal, PortalStatus::Type)>,
}

impl Cursors {
    fn of_session() -> Self {
        let find = |name: String| {
            let portal = portal(&name)?;
            // SAFETY: it was found a moment ago.
            let status = unsafe { (*portal).status };
            Some((name, portal, status))
        };
        let names = list::<String>("SELECT c.name FROM pg_catalog.pg_cursors c");
        let before = names.into_iter().filter_map(find).collect();
        Self { before }
    }

    /// Postgres refuses to fetch from a cursor that is running already, and to close it.
    fn lock(&self) {
        for (_, portal, _) in &self.before {
            // SAFETY: nothing has run since it was found.
            unsafe { (**portal).status = PortalStatus::PORTAL_ACTIVE };
        }
    }

    fn unlock(&self) {
        for (_, portal, status) in &self.before {
            // SAFETY: what is running cannot be dropped.
            unsafe { (**portal).status = *status };
        }
    }

    /// Closes those that were opened since.
    fn close_others(&self) {
        for (name, opened, _) in Self::of_session().before {
            if self.before.iter().all(|(known, ..)| *known != name) {
                // SAFETY: it was found a moment ago, and whoever opened it has returned.
                unsafe { pg_sys::PortalDrop(opened, false) };
            }
        }
    }
}

fn portal(name: &str) -> Option<pg_sys::Portal> {
    let name = CString::new(name).ok()?;
    // SAFETY: only looks it up.
    let portal = unsafe { pg_sys::GetPortalByName(name.as_ptr()) };
    (!portal.is_null()).then_some(portal)
}

/// What code could leave behind in the session that nothing prevents: it is refused afterwards.
#[derive(PartialEq)]
struct Traces {
    /// Objects in the temporary schema, where types come before those of `pg_catalog`.
    temporary: i64,
    /// Tables whose triggers wait for the end of the transaction.
    deferred: Vec<Oid>,
}

impl Traces {
    fn of_session() -> Self {
        let temporary = list::<i64>(
            "SELECT count(*) FROM pg_catalog.pg_depend d
             WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
             AND   d.refobjid = pg_catalog.pg_my_temp_schema()",
        );
        let mut deferred = list::<Oid>(
            "SELECT DISTINCT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.tgdeferrable",
        );
        // SAFETY: looks through the events of the transaction.
        deferred.retain(|&table| unsafe { pg_sys::AfterTriggerPendingOnRel(table) });
        deferred.sort_unstable_by_key(|table| table.to_u32());
        Self {
            temporary: temporary[0],
            deferred,
        }
    }

    fn compare(&self, after: &Self) -> Result<()> {
        let refusal = |message: &'static str, detail, hint| {
            ErrorReport::new(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message, "")
                .set_detail(detail)
                .set_hint(hint)
        };
        if self.temporary != after.temporary {
            return Err(refusal(
                "code of a model made or dropped temporary objects",
                "They would be there for all that the session does later.",
                "See the triggers of the model's tables, and what its source calls.",
            ));
        }
        if self.deferred != after.deferred {
            return Err(refusal(
                "code of a model fired triggers that wait for the end of the transaction",
                "They are the caller's, and would fire with other rights.",
                "See the triggers of the model's tables, and what its source calls.",
            ));
        }
        Ok(())
    }
}

/// Session-level advisory locks outlive what takes them, and can be released by whoever runs.
#[pg_guard]
unsafe extern "C-unwind" fn on_object_access(
    access: pg_sys::ObjectAccessType::Type,
    class: Oid,
    object: Oid,
    sub: c_int,
    argument: *mut c_void,
) {
    // SAFETY: written only by start().
    if let Some(hook) = unsafe { NEXT_HOOK } {
        // SAFETY: called as this one was, and its errors become panics on the way.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| hook(access, class, object, sub, argument));
        }
    }
    if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE
        && IS_INSIDE.load(Relaxed)
        // pg_advisory_lock(bigint) to pg_advisory_unlock_all(), see pg_proc.dat.
        && (pg_sys::F_PG_ADVISORY_LOCK_INT8..=pg_sys::F_PG_ADVISORY_UNLOCK_ALL)
            .contains(&object.to_u32())
    {
        ErrorReport::new(
            Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "code of a model must not take or release session-level advisory locks",
            "",
        )
        .set_detail("The session of the caller would hold others than before.")
        .set_hint("Use pg_advisory_xact_lock().")
        .report(PgLogLevel::ERROR);
    }
}
