//! What follows from a status, for explanations and lists: declared in `sql/functions/status.sql`.

use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::students::student::StudentStatus;
use pgrx::prelude::*;

#[pg_extern(sql = false)]
fn is_under_review(status: &str) -> bool {
    ItemStatus::UNDER_REVIEW
        .iter()
        .any(|reviewed| reviewed.label() == status)
}

#[pg_extern(sql = false)]
fn further_assessments(status: &str, assessments: i32) -> i32 {
    if status == StudentStatus::Ok.label() {
        0
    } else {
        StudentStatus::further_assessments(assessments)
    }
}
