//! Readers for the data beside the source tree.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The shared data called `name`; none, and a word on it, where there are none.
pub fn shared_data(test: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: no shared data");
    None
}

/// A table from a file.
pub struct Table {
    columns: BTreeMap<String, usize>,
    pub rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a CSV file, packed or not.
    pub fn read(path: &Path) -> Self {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if path.extension().is_some_and(|extension| extension == "gz") {
            Self::parse(GzDecoder::new(file))
        } else {
            Self::parse(file)
        }
    }

    fn parse(source: impl std::io::Read) -> Self {
        let mut reader = csv::Reader::from_reader(source);
        let columns = reader
            .headers()
            .expect("a header")
            .iter()
            .enumerate()
            .map(|(at, name)| (name.to_owned(), at))
            .collect();
        let rows = reader.records().map(|row| row.expect("a row")).collect();
        Self { columns, rows }
    }

    pub fn column(&self, name: &str) -> usize {
        *self
            .columns
            .get(name)
            .unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The column names but for the first, in order.
    pub fn items(&self) -> Vec<String> {
        let mut names: Vec<(usize, &String)> =
            self.columns.iter().map(|(name, at)| (*at, name)).collect();
        names.sort_unstable();
        names
            .into_iter()
            .skip(1)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// A column of numbers; none where a field is empty or NA.
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        let column = self.column(name);
        self.rows.iter().map(|row| number(&row[column])).collect()
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let column = self.column(name);
        self.rows.iter().map(|row| &row[column]).collect()
    }
}

/// A number; none for empty text and for NA.
pub fn number(text: &str) -> Option<f64> {
    match text {
        "" | "NA" => None,
        text => Some(text.parse().unwrap_or_else(|_| panic!("no number: {text}"))),
    }
}
