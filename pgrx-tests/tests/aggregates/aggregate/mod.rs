//! `gradebook_agg` and `rollup`: what they take, what they refuse, and that no plan, no order of
//! rows and no detour changes a byte of what they give.

mod detours;
mod rows;

use pg_assess_it::Session;

/// What `coverage` says, without the reasons for which there is no row.
fn coverage(session: &mut Session, gradebook: &str) -> String {
    session
        .table(&format!(
            "SELECT c.reason || ' ' || c.rows
             FROM ({gradebook}) g(gb), assess.coverage(g.gb) c WHERE c.rows > 0"
        ))
        .join(", ")
}
