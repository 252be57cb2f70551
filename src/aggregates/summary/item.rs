//! `item_agg` and its summary, declared in `sql/aggregates/item.sql`.

use pg_assess_core::summary::ItemSummary;
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};

use crate::aggregates::summary::{accessors, summary_type};
use crate::error::{Result, report};
use crate::pg::arguments::Arguments;
use crate::pg::state;

summary_type!(ItemSummary: item_summary_in, item_summary_out, item_summary_recv,
    item_summary_send, item_merge, item_final, item_rollup_final,
    item_n, item_excluded);

accessors! { ItemSummary:
    item_facility = ItemSummary::facility;
    item_discrimination = ItemSummary::discrimination;
    item_discrimination_se = ItemSummary::discrimination_se;
    item_r_rest = ItemSummary::r_rest;
    item_biserial = ItemSummary::biserial;
    item_biserial_se = ItemSummary::biserial_se;
}

#[pg_extern(sql = false)]
fn item_trans(fcinfo: pg_sys::FunctionCallInfo) -> Internal {
    let mut from = Arguments::after_state(fcinfo);
    let (score, criterion) = (from.float(), from.float());
    let mut item: ItemSummary = state::summary_state(fcinfo);
    item.push(score, criterion);
    state::keep_summary(fcinfo, item, Ok(()))
}

#[pg_extern(sql = false)]
fn item_ci_low(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(interval(fcinfo)?.map(|(low, _)| low))
}

#[pg_extern(sql = false)]
fn item_ci_high(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<f64>> {
    Ok(interval(fcinfo)?.map(|(_, high)| high))
}

fn interval(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<(f64, f64)>> {
    let mut from = Arguments::of(fcinfo);
    let item: ItemSummary = from.summary()?;
    item.discrimination_interval(from.float()).map_err(report)
}
