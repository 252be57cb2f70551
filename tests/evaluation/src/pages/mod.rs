//! What the pages say. Every figure comes from an experiment of this run.

pub mod few_scores;
pub mod missing_work;
pub mod questions;
pub mod sample_network;
pub mod trend;

use crate::data::OULAD_ATTRIBUTION;
use crate::page::Page;

/// All pages in the order in which the index tells of them.
pub const PAGES: [&str; 5] = [
    "questions",
    "trend",
    "missing_work",
    "few_scores",
    "sample_network",
];

/// The index, made of the answers of the pages as they lie in the folder.
pub fn index(answers: impl Fn(&str) -> Option<(String, String)>) -> Page {
    let mut page = Page::new("index", "Evaluation", &[]);
    page.paragraph(
        "How well do the figures do where the answer is known? Here they are held against what \
         came later in real courses, against the untouched half of real tests, and against the \
         truth behind a made-up network. Every figure on these pages was computed by",
    );
    page.block("sh", "make evaluation DATA=directory");
    page.paragraph(
        "with `DATA/oulad` holding the gzipped CSV files of the Open University Learning Analytics \
         Dataset and `DATA/items` the item matrices. Without them only the sample network is \
         evaluated, and the other pages stay as they are. Seeds are fixed: the same data give the \
         same pages. `make test` holds the figures to their goals.",
    );
    for name in PAGES {
        match answers(name) {
            Some((title, answers)) => page.lines(&format!("## [{title}]({name}.md)\n\n{answers}")),
            None => page.paragraph(&format!(
                "{}: left out, as its data were not at hand.",
                name.replace('_', " ")
            )),
        }
    }
    page.section("Limits");
    page.list(&[
        "The courses are those of one distance university and its students are adults; the tests \
         are single sittings; the network is invented. No school's own data with questions, dates \
         and terms were at hand."
            .to_owned(),
        "The goals come from an earlier study of the same kinds of data, made before the product \
         was, from which the method's defaults were chosen too. To meet them on the same courses \
         shows that the product does what the study found, not that it would do so elsewhere."
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
