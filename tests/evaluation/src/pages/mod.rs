//! What the pages say. Every figure comes from an experiment of this run.

pub mod accuracy;
pub mod few_scores;
pub mod groups;
pub mod half_life;
pub mod missing_work;
pub mod questions;
pub mod sample_network;
pub mod trend;
pub mod uncertainty;

use crate::data::OULAD_ATTRIBUTION;
use crate::page::Page;

/// All pages in the order in which the index lists them.
pub const PAGES: [&str; 9] = [
    "accuracy",
    "uncertainty",
    "few_scores",
    "groups",
    "missing_work",
    "trend",
    "half_life",
    "questions",
    "sample_network",
];

/// The index, made of the first answers of the pages as they lie in the folder.
pub fn index(answer: impl Fn(&str) -> Option<(String, String)>) -> Page {
    let mut page = Page::new("index", "Evaluation", &[]);
    page.paragraph(
        "How well do the figures do where the answer is known? Here they are compared with what \
         came later in real courses, against the untouched half of real tests, and against the \
         truth behind a made-up network. In short:",
    );
    page.list(&PAGES.map(|name| match answer(name) {
        Some((title, answer)) => format!("[{title}]({name}.md) {answer}"),
        None => format!(
            "{}: left out, as its data were not at hand.",
            name.replace('_', " ")
        ),
    }));
    page.section("How it was done");
    page.paragraph("Every figure on these pages was computed by");
    page.block("sh", "make evaluation DATA=directory");
    page.paragraph(
        "with `DATA/oulad` holding the gzipped CSV files of the Open University Learning Analytics \
         Dataset and `DATA/items` the item matrices. Without them only the sample network is \
         evaluated, and the other pages stay as they are. Seeds are fixed: the same data give the \
         same pages. `make test` holds the figures to their goals.",
    );
    page.section("Limits");
    page.list(&[
        "The courses are those of one distance university and its students are adults; the tests \
         are single sittings; the network is invented. No school's own data with questions, dates \
         and terms were at hand."
            .to_owned(),
        "Scores of the past predict only so much, by any method. The list says where to look \
         first; about many single students it is wrong."
            .to_owned(),
        "Students who leave have no later scores, so that forecasts are compared with those who \
         stay. Only [missing work](missing_work.md) is compared with failures and withdrawals."
            .to_owned(),
        "The goals come from an earlier study of the same kinds of data, made before the product \
         was, from which the method's defaults were chosen too. To meet them on the same courses \
         shows that the product does what the study found, not that it would do so elsewhere. Two \
         choices were made later, after figures like these had been seen: how noise goes by \
         precision, and how much of it is the cohort's \
         ([decision 12](../adr/0012-noise-by-precision.md))."
            .to_owned(),
        "Two of that study's goals are not met: with sound questions, and 30 or 300 students, \
         weights gain less here than there ([questions](questions.md))."
            .to_owned(),
        "Nothing here shows that anybody is helped by the figures; that depends on what people do \
         with them."
            .to_owned(),
    ]);
    page.paragraph(OULAD_ATTRIBUTION);
    page
}

/// What every page on the courses ends with.
fn oulad(page: &mut Page) {
    page.paragraph(
        "Final exams are left out, as are results carried over from an earlier presentation and \
         one first task that is only marked as done or not.",
    );
    page.paragraph(OULAD_ATTRIBUTION);
}
