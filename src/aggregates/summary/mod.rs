//! The types `item_summary`, `decay_summary` and `trend_summary`, the aggregates that make them,
//! and their accessors.
//!
//! A transition function takes rows that have no NULL and starts from an empty summary, so there
//! is one way for a group to be empty. Every one-step aggregate of these is a summary with one of its
//! accessors as the final function; those over the same arguments share one state.

mod decay;
mod item;
mod trend;

use pg_assess_core::summary::Summary;
use pgrx::{Internal, pg_sys};

use crate::error::Result;
use crate::pg::arguments::Arguments;
use crate::pg::notices::{self, Notice};
use crate::pg::state;
use crate::pg::wire::summary_datum;

/// The summary in argument 0. At the end of an aggregate, warns when rows were left out.
fn summary<S: Summary>(fcinfo: pg_sys::FunctionCallInfo) -> Result<S> {
    let summary: S = Arguments::of(fcinfo).summary()?;
    if state::is_aggregate(fcinfo) {
        warn_of_excluded(fcinfo, summary.excluded());
    }
    Ok(summary)
}

/// The summary of a group that has ended: NULL when no row came.
fn ended<S: Summary + PartialEq>(summary: &S) -> Internal {
    match *summary == S::default() {
        true => Internal::from(None),
        false => summary_datum(summary),
    }
}

/// Warns once per query that an aggregate left out rows.
pub fn warn_of_excluded(fcinfo: pg_sys::FunctionCallInfo, rows: u64) {
    if rows > 0 && notices::is_first_in_query(fcinfo, Notice::Rows) {
        log::warn!(
            "aggregates left out {rows} of the rows of a group, which have a value that is missing in an \
             array, not finite or too large, or a negative weight; excluded(summary) of item_agg, \
             decay_agg and trend_agg counts them in every group",
        );
    }
}

/// What a type needs beside its transition functions and accessors: input and output, the merge
/// behind `rollup` and parallel plans, the end of its own aggregate, and two counts.
macro_rules! summary_type {
    ($type:ty: $in:ident, $out:ident, $recv:ident, $send:ident, $merge:ident, $final:ident,
     $rollup_final:ident, $n:ident, $excluded:ident) => {
        #[pgrx::pg_extern(sql = false)]
        fn $in(text: &std::ffi::CStr) -> $crate::error::Result<pgrx::Internal> {
            use pg_assess_core::summary::Summary;
            <$type>::from_text(&text.to_string_lossy())
                .map(|summary| $crate::pg::wire::summary_datum(&summary))
                .map_err(|error| {
                    let code = pgrx::PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION;
                    $crate::error::report_input(error, code)
                })
        }

        #[pgrx::pg_extern(sql = false)]
        fn $out(
            fcinfo: pgrx::pg_sys::FunctionCallInfo,
        ) -> $crate::error::Result<std::ffi::CString> {
            use pg_assess_core::summary::Summary;
            let summary: $type = $crate::pg::arguments::Arguments::of(fcinfo).summary()?;
            // The text form has no zero byte.
            Ok(std::ffi::CString::new(summary.to_text()).unwrap_or_default())
        }

        #[pgrx::pg_extern(sql = false)]
        fn $recv(mut message: pgrx::Internal) -> $crate::error::Result<pgrx::Internal> {
            use pg_assess_core::summary::Summary;
            <$type>::decode($crate::pg::wire::wire_bytes(&mut message))
                .map(|summary| $crate::pg::wire::summary_datum(&summary))
                .map_err(|error| {
                    let code = pgrx::PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION;
                    $crate::error::report_input(error, code)
                })
        }

        #[pgrx::pg_extern(sql = false)]
        fn $send(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<Vec<u8>> {
            use pg_assess_core::summary::Summary;
            let summary: $type = $crate::pg::arguments::Arguments::of(fcinfo).summary()?;
            let mut bytes = vec![0; <$type>::SIZE];
            summary.store(&mut bytes);
            Ok(bytes)
        }

        #[pgrx::pg_extern(sql = false)]
        fn $merge(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<pgrx::Internal> {
            use pg_assess_core::summary::Summary;
            let other: $type = $crate::pg::arguments::Arguments::after_state(fcinfo).summary()?;
            let mut summary: $type = $crate::pg::state::summary_state(fcinfo);
            let change = summary.merge(&other);
            Ok($crate::pg::state::keep_summary(fcinfo, summary, change))
        }

        #[pgrx::pg_extern(sql = false)]
        fn $final(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<pgrx::Internal> {
            let summary: $type = $crate::aggregates::summary::summary(fcinfo)?;
            Ok($crate::aggregates::summary::ended(&summary))
        }

        /// Of `rollup`, whose summaries have warned of excluded rows when they were made.
        #[pgrx::pg_extern(sql = false)]
        fn $rollup_final(
            fcinfo: pgrx::pg_sys::FunctionCallInfo,
        ) -> $crate::error::Result<pgrx::Internal> {
            let summary: $type = $crate::pg::arguments::Arguments::of(fcinfo).summary()?;
            Ok($crate::aggregates::summary::ended(&summary))
        }

        #[pgrx::pg_extern(sql = false)]
        fn $n(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<i64> {
            let summary: $type = $crate::aggregates::summary::summary(fcinfo)?;
            Ok(summary.n() as i64)
        }

        #[pgrx::pg_extern(sql = false)]
        fn $excluded(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<i64> {
            use pg_assess_core::summary::Summary;
            let summary: $type = $crate::aggregates::summary::summary(fcinfo)?;
            Ok(summary.excluded() as i64)
        }
    };
}
use summary_type;

/// Accessors that need nothing but the summary and give a number that may not exist.
macro_rules! accessors {
    ($type:ty: $($name:ident = $method:expr;)+) => {$(
        #[pgrx::pg_extern(sql = false)]
        fn $name(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> $crate::error::Result<Option<f64>> {
            let method: fn(&$type) -> Option<f64> = $method;
            Ok(method(&$crate::aggregates::summary::summary(fcinfo)?))
        }
    )+};
}
use accessors;
