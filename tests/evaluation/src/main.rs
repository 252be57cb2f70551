//! Writes the pages of the evaluation: `pg_assess_evaluation DATA PAGES`.
//!
//! `DATA` holds the folders `oulad` and `items`. Pages whose data are not there are left as they
//! are, and the index still reports what they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pg_assess_evaluation::backtest::{self, Known};
use pg_assess_evaluation::page::{Page, answer};
use pg_assess_evaluation::{data, pages};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(data), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: pg_assess_evaluation DATA PAGES");
        return ExitCode::FAILURE;
    };
    match write_all(&data, &folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evaluation: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(data: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let write = |page: Page| {
        println!(
            "evaluation: {}",
            folder.join(page.name).with_extension("md").display()
        );
        page.write(folder)
    };
    write(pages::sample_network::page())?;
    let left_out = |what: &str, folder: &Path| {
        println!(
            "evaluation: {what} left out, as there is no data in {}",
            folder.display()
        );
    };
    let items = data.join("items");
    match data::matrices(&items) {
        Some(matrices) => write(pages::questions::page(&matrices))?,
        None => left_out("questions", &items),
    }
    let oulad = data.join("oulad");
    match data::courses(&oulad) {
        Some(courses) => {
            let next = backtest::next(&courses, Known::All);
            let ahead = backtest::ahead(&courses);
            write(pages::accuracy::page(&courses, &next, &ahead))?;
            write(pages::uncertainty::page(&next, &ahead))?;
            write(pages::groups::page(&courses, &next, &ahead))?;
            for page in [
                pages::few_scores::page,
                pages::missing_work::page,
                pages::trend::page,
                pages::half_life::page,
            ] {
                write(page(&courses))?;
            }
        }
        None => left_out("all that is about courses", &oulad),
    }
    write(pages::index(|name| answer(folder, name)))
}
