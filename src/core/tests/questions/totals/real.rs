//! Real files: the totals of an export, and tests without one.

use std::path::Path;

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Scope;
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::solve;
use pg_assess_test_support::{OwnId, OwnRow, Table, go, gradebook, messy_school, row, shared_data};

use super::{names, solved, totals};

/// The rows of ZipGrade's export, with the columns named; questions of two forms apart or not.
fn zipgrade(table: &Table, columns: &[(&str, f64)], apart: bool) -> Vec<OwnRow> {
    let form = table.texts("Key Version");
    let questions: Vec<String> = (1..31).map(|at| format!("Points{at}")).collect();
    let all = questions.iter().map(|name| (name.as_str(), 1.0));
    let mut rows = Vec::new();
    for (name, max) in all.chain(columns.iter().copied()) {
        for (student, score) in (0..).zip(table.numbers(name)) {
            let is_split = apart && name.starts_with("Points");
            let item = match is_split {
                true => format!("{name} of form {}", form[student as usize]),
                false => name.to_owned(),
            };
            rows.push(OwnRow {
                item: Some(OwnId::Text(item)),
                score,
                max_score: MaxScore::Points(Some(max)),
                ..row(student, 0, 1, 0.0, 0.0)
            });
        }
    }
    rows
}

#[test]
fn the_totals_of_a_scanner_are_found() {
    let Some(data) = shared_data("the_totals_of_a_scanner_are_found", "sources/wide") else {
        return;
    };
    let table = Table::read(&data.join("zipgrade.csv"));
    let columns = [("Earned Points", 30.0), ("PercentCorrect", 100.0)];
    for apart in [true, false] {
        let (found, items) = solved(&zipgrade(&table, &columns, apart));
        assert_eq!(found, names(&["Earned Points", "PercentCorrect"]));
        assert!(items.iter().all(|item| {
            (item.quality.status == ItemStatus::Total) == (item.quality.weight == 0.0)
                || item.quality.status == ItemStatus::Flawed
        }));
        assert_eq!(
            totals(&zipgrade(&table, &columns[..1], apart)),
            names(&["Earned Points"])
        );
        assert_eq!(
            totals(&zipgrade(&table, &columns[1..], apart)),
            names(&["PercentCorrect"])
        );
        assert_eq!(totals(&zipgrade(&table, &[], apart)), names(&[]));
    }
}

/// A matrix of students by questions.
fn matrix(path: &Path) -> Vec<OwnRow> {
    let table = Table::read(path);
    let mut rows = Vec::new();
    for item in table.items() {
        let scores = table.numbers(&item);
        let max = scores
            .iter()
            .flatten()
            .fold(1.0_f64, |most, x| most.max(*x));
        for (student, score) in (0..).zip(scores) {
            rows.push(OwnRow {
                item: Some(OwnId::Text(item.clone())),
                score,
                max_score: MaxScore::Points(Some(max)),
                ..row(student, 0, 1, 0.0, 0.0)
            });
        }
    }
    rows
}

#[test]
fn real_tests_have_no_total_and_no_row_of_means() {
    let Some(data) = shared_data("real_tests_have_no_total_and_no_row_of_means", "items") else {
        return;
    };
    let mut seen = 0;
    for folder in std::fs::read_dir(data).expect("folders") {
        for file in std::fs::read_dir(folder.expect("a folder").path()).expect("files") {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if name.starts_with("responses_wide") {
                seen += 1;
                let rows = matrix(&path);
                assert_eq!(totals(&rows), names(&[]), "{}", path.display());
                let bytes = gradebook(&rows);
                let book = Gradebook::open(&bytes).expect("a gradebook");
                let found = solve::summary_rows(&book, &Scope::default(), &go).expect("rows");
                assert_eq!(found, [], "{}", path.display());
            }
        }
    }
    assert!(seen >= 11);
}

#[test]
fn messy_schools_have_no_total() {
    for seed in 0..300 {
        assert_eq!(totals(&messy_school(seed)), names(&[]), "{seed}");
    }
}
