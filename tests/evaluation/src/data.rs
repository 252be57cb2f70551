//! The data sets as plain values.

use std::path::Path;

use crate::common::Table;

/// Persons by questions.
#[derive(Debug, Clone)]
pub struct Matrix {
    pub name: &'static str,
    /// Per person, per question: a share of the points; none where it is blank.
    pub scores: Vec<Vec<Option<f64>>>,
}

/// The item matrices: folder, file, and points of a question.
const MATRICES: [(&str, &str, f64); 11] = [
    ("ability16", "responses_wide.csv", 1.0),
    ("ecpe", "responses_wide.csv", 1.0),
    ("fraction_subtraction", "responses_wide.csv", 1.0),
    ("hci", "responses_wide.csv", 1.0),
    ("lsat6", "responses_wide.csv", 1.0),
    ("lsat7", "responses_wide.csv", 1.0),
    ("mathexam14w", "responses_wide_solved.csv", 1.0),
    ("revised_psvtr", "responses_wide.csv", 1.0),
    ("sat12", "responses_wide.csv", 1.0),
    ("spm_ls", "responses_wide.csv", 1.0),
    ("verbagg", "responses_wide_0to2.csv", 2.0),
];

/// The item matrices in `folder`; none unless all are there.
pub fn matrices(folder: &Path) -> Option<Vec<Matrix>> {
    MATRICES
        .iter()
        .map(|(name, file, points)| {
            let path = folder.join(name).join(file);
            if !path.exists() {
                return None;
            }
            let table = Table::read(&path);
            let columns: Vec<Vec<Option<f64>>> = table
                .items()
                .iter()
                .map(|item| table.numbers(item))
                .collect();
            let share = |score: Option<f64>| score.map(|score| score / points);
            let scores = (0..table.rows.len())
                .map(|at| columns.iter().map(|column| share(column[at])).collect())
                .collect();
            Some(Matrix { name, scores })
        })
        .collect()
}
