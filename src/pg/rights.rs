//! The boundary of rights: what belongs to a model runs with the rights of its owner, whoever
//! calls, and leaves nothing behind in the session of the caller.
//!
//! `SET ROLE` is no such boundary, as the code that runs can leave it. This one is that of
//! Postgres's own maintenance commands: a security-restricted operation (SetUserIdAndSecContext in
//! src/backend/utils/init/miscinit.c) within a nest level of settings. What such an operation
//! leaves open is closed here: cursors, descriptors of large objects, session-level advisory locks,
//! when constraints are checked, and objects in the temporary schema. docs/adr/0019-rights.md has
//! the reasons.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{self, Oid, PortalStatus};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode as Code, PgTryBuilder};

use crate::error::Result;
use crate::pg::arguments::NamedArguments;

/// Whether code runs that must leave nothing behind.
static IS_INSIDE: AtomicBool = AtomicBool::new(false);
/// The hooks that were there before.
static mut NEXT_HOOK: pg_sys::object_access_hook_type = None;
static mut NEXT_UTILITY_HOOK: pg_sys::ProcessUtility_hook_type = None;

/// Called once, when the library is loaded.
pub fn start() {
    // SAFETY: a backend has one thread, and hooks are chained as every extension does.
    unsafe {
        NEXT_HOOK = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(on_object_access);
        NEXT_UTILITY_HOOK = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(on_utility);
    }
}

/// `_as_owner(owner, statement, is_restricted)`: runs a statement with the rights of a role;
/// returns the first column of its first row as text.
///
/// `is_restricted` is false for what restricts itself and cannot run within a restricted operation:
/// `REFRESH MATERIALIZED VIEW CONCURRENTLY`. Postgres refuses to defer a trigger within one
/// (afterTriggerMarkEvents in src/backend/commands/trigger.c).
#[pg_extern(sql = false)]
fn as_owner(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>> {
    let from = NamedArguments::of(fcinfo);
    let owner = from.required::<Oid>("owner")?;
    let statement = from.required::<String>("statement")?;
    let is_restricted = from.required::<bool>("is_restricted")?;
    if !may_become(owner) {
        let message = "permission denied to run a statement for another role";
        return Err(
            ErrorReport::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message, "")
                .set_detail("The current role may not SET ROLE to it.")
                .set_hint("Call as that role, or as a member of it."),
        );
    }
    let settings = Settings::pinned();
    let before = temporary_objects();
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
    if temporary_objects() != before {
        return Err(ErrorReport::new(
            Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "code of a model made or dropped temporary objects",
            "",
        )
        .set_detail("They would be there for all that the session does later.")
        .set_hint("See the triggers of the model's tables, and what its source calls."));
    }
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

/// Runs a statement as a role; where it fails, the abort of its (sub)transaction puts the role
/// back.
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
                // SAFETY: it was found a moment ago, and the code that opened it has returned.
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

/// Objects in the temporary schema, where types come before those of `pg_catalog`.
fn temporary_objects() -> i64 {
    let count = list::<i64>(
        "SELECT count(*) FROM pg_catalog.pg_depend d
         WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
         AND   d.refobjid = pg_catalog.pg_my_temp_schema()",
    );
    count[0]
}

unsafe extern "C-unwind" {
    /// What Postgres does itself: not by its binding, which would turn the errors of all statements
    /// of the session into panics and back, and lose their position and the name of a constraint.
    #[link_name = "standard_ProcessUtility"]
    fn utility_of_postgres(
        statement: *mut pg_sys::PlannedStmt,
        query: *const c_char,
        is_read_only: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// `SET CONSTRAINTS` holds to the end of the transaction, which is the caller's, and fires triggers
/// of the caller's that wait for it. Errors of the next hook pass through, as there is nothing to
/// clean up here.
#[allow(clippy::too_many_arguments, reason = "it is that of Postgres")]
unsafe extern "C-unwind" fn on_utility(
    statement: *mut pg_sys::PlannedStmt,
    query: *const c_char,
    is_read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: a utility statement has a node; the next hook was written only by start(), and gets
    // what this one got.
    unsafe {
        let tag = (*(*statement).utilityStmt).type_;
        if tag == pg_sys::NodeTag::T_ConstraintsSetStmt && IS_INSIDE.load(Relaxed) {
            refuse_set_constraints();
        }
        NEXT_UTILITY_HOOK.unwrap_or(utility_of_postgres)(
            statement,
            query,
            is_read_only,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
    }
}

#[pg_guard]
extern "C-unwind" fn refuse_set_constraints() {
    refuse(
        "code of a model must not set when constraints are checked",
        "It would hold for the rest of the caller's transaction.",
        "See the triggers of the model's tables, and what its source calls.",
    );
}

/// What works on descriptors of large objects. They are those of the transaction, and rights are
/// looked at only when one is opened.
const DESCRIPTORS: [u32; 10] = [
    pg_sys::F_LO_OPEN,
    pg_sys::F_LO_CLOSE,
    pg_sys::F_LOREAD,
    pg_sys::F_LOWRITE,
    pg_sys::F_LO_LSEEK,
    pg_sys::F_LO_LSEEK64,
    pg_sys::F_LO_TELL,
    pg_sys::F_LO_TELL64,
    pg_sys::F_LO_TRUNCATE,
    pg_sys::F_LO_TRUNCATE64,
];

/// Session-level advisory locks outlive the code that takes them, and any code can release them.
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
    if access != pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE || !IS_INSIDE.load(Relaxed) {
        return;
    }
    let function = object.to_u32();
    // pg_advisory_lock(bigint) to pg_advisory_unlock_all(), see pg_proc.dat.
    if (pg_sys::F_PG_ADVISORY_LOCK_INT8..=pg_sys::F_PG_ADVISORY_UNLOCK_ALL).contains(&function) {
        refuse(
            "code of a model must not take or release session-level advisory locks",
            "The session of the caller would hold others than before.",
            "Use pg_advisory_xact_lock().",
        );
    }
    if DESCRIPTORS.contains(&function) {
        refuse(
            "code of a model must not use descriptors of large objects",
            "It could read and write those that the caller has open.",
            "Use lo_get() and lo_put().",
        );
    }
}

fn refuse(message: &'static str, detail: &'static str, hint: &'static str) {
    ErrorReport::new(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, message, "")
        .set_detail(detail)
        .set_hint(hint)
        .report(PgLogLevel::ERROR);
}
