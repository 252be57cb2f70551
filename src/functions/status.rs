//! What follows from a status, for explanations and lists: declared in `sql/functions/status.sql`.

use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::students::student::StudentStatus;
use pgrx::prelude::*;

#[pg_extern(sql = false)]
fn is_under_review(status: &str) -> bool {
    ItemStatus::of_label(status).is_some_and(|status| ItemStatus::UNDER_REVIEW.contains(&status))
}

#[pg_extern(sql = false)]
fn further_assessments(status: &str, assessments: i32) -> Option<i32> {
    StudentStatus::of_label(status).map(|status| status.further_assessments(assessments))
}
