//! The tables of the sample network, which `sample_network` in SQL fills. All take the same
//! arguments: see [`NetworkOptions::new`]. Rows are made while they are read, so that a network of
//! any size can be had, and the executor looks for interrupts between them.

use crate::error::{Result, report};
use pg_assess_core::sample::{Network, NetworkOptions};
use pgrx::prelude::*;

type Rows<Row> = Result<TableIterator<'static, Row>>;

fn network(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Result<Network> {
    let options = NetworkOptions::new(seed, schools, students_per_school, weeks, flawed);
    Ok(Network::new(options.map_err(report)?))
}

/// Schools.
#[pg_extern(sql = false)]
fn _sample_schools(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(name!(school_id, i32), name!(name, String))> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let schools = network.schools().to_vec().into_iter();
    let rows = schools.map(|school| (school.id, school.name));
    Ok(TableIterator::new(rows))
}

/// Students, by school.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn _sample_students(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(
    name!(student_id, i32),
    name!(school_id, i32),
    name!(given_name, &'static str),
    name!(family_name, String),
    name!(grade, i32),
)> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let rows = (0..network.students().len()).map(move |index| {
        let student = &network.students()[index];
        let (given, family) = network.name(student);
        (student.id, student.school_id, given, family, student.grade)
    });
    Ok(TableIterator::new(rows))
}

/// Assessments in order of time; `day` 0 is the first of the school year.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn _sample_assessments(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(
    name!(assessment_id, i32),
    name!(subject, &'static str),
    name!(title, String),
    name!(kind, &'static str),
    name!(day, i32),
)> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let rows = network.assessments().to_vec().into_iter().map(|row| {
        (
            row.id,
            row.subject.label(),
            row.title,
            row.kind.label(),
            row.day,
        )
    });
    Ok(TableIterator::new(rows))
}

/// Questions by assessment and number, with the truth about them.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn _sample_questions(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(
    name!(question_id, i32),
    name!(assessment_id, i32),
    name!(number, i32),
    name!(kind, &'static str),
    name!(prompt, Option<&'static str>),
    name!(max_points, f64),
    name!(discrimination, Option<f64>),
    name!(difficulty, Option<f64>),
    name!(flaw, &'static str),
)> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let rows = network.questions().to_vec().into_iter().map(|row| {
        (
            row.id,
            row.assessment_id,
            row.number,
            row.kind.label(),
            row.prompt,
            row.max_points,
            row.curve.map(|curve| curve.discrimination),
            row.curve.map(|curve| curve.difficulty),
            row.flaw.label(),
        )
    });
    Ok(TableIterator::new(rows))
}

/// Responses by day, assessment, student and question number.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn _sample_responses(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(
    name!(student_id, i32),
    name!(subject, &'static str),
    name!(assessment_id, i32),
    name!(question_id, i32),
    name!(points, Option<f64>),
    name!(max_points, f64),
    name!(day, i32),
    name!(attempt, i16),
)> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let rows = network.into_responses().map(|row| {
        (
            row.student_id,
            row.subject.label(),
            row.assessment_id,
            row.question_id,
            row.points,
            row.max_points,
            row.day,
            row.attempt,
        )
    });
    Ok(TableIterator::new(rows))
}

/// The truth about every student in every subject.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn _sample_truth(
    seed: i64,
    schools: i32,
    students_per_school: i32,
    weeks: i32,
    flawed: bool,
) -> Rows<(
    name!(student_id, i32),
    name!(subject, &'static str),
    name!(ability, f64),
    name!(start_ability, f64),
    name!(monthly_change, f64),
    name!(path, &'static str),
    name!(story, Option<&'static str>),
)> {
    let network = network(seed, schools, students_per_school, weeks, flawed)?;
    let truths = (0..network.students().len())
        .flat_map(move |index| network.truth(&network.students()[index]));
    let rows = truths.map(|row| {
        (
            row.student_id,
            row.subject.label(),
            row.ability,
            row.start_ability,
            row.monthly_change,
            row.path.label(),
            row.story.map(|story| story.label()),
        )
    });
    Ok(TableIterator::new(rows))
}
