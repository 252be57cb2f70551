//! A page in the making, and how figures are written.

use std::fs;
use std::io::Result;
use std::path::Path;

/// Longest line of a page, but for tables.
const LINE: usize = 100;

/// One page with its pictures.
#[derive(Debug)]
pub struct Page {
    /// The file without its ending.
    pub name: &'static str,
    text: String,
    pictures: Vec<(String, String)>,
}

impl Page {
    /// A page that begins with its answers, each a plain sentence or two.
    pub fn new(name: &'static str, title: &str, answers: &[String]) -> Self {
        let mut page = Self {
            name,
            text: format!("# {title}\n\n"),
            pictures: Vec::new(),
        };
        if !answers.is_empty() {
            page.list(answers);
        }
        page
    }

    pub fn section(&mut self, title: &str) {
        self.text.push_str(&format!("## {title}\n\n"));
    }

    pub fn paragraph(&mut self, words: &str) {
        self.text.push_str(&wrapped(words, ""));
        self.text.push_str("\n\n");
    }

    pub fn list(&mut self, points: &[String]) {
        for point in points {
            self.text.push_str(&wrapped(&format!("- {point}"), "  "));
            self.text.push('\n');
        }
        self.text.push('\n');
    }

    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
        let rule = vec!["---".to_owned(); header.len()];
        self.text.push_str(&line(&header));
        self.text.push_str(&line(&rule).replace(' ', ""));
        for row in rows {
            self.text.push_str(&line(row));
        }
        self.text.push('\n');
    }

    /// A block that is shown as it is.
    pub fn block(&mut self, language: &str, lines: &str) {
        self.text
            .push_str(&format!("```{language}\n{lines}\n```\n\n"));
    }

    /// A picture beside the page, and the words for who cannot see it.
    pub fn picture(&mut self, name: &str, words: &str, svg: String) {
        self.text.push_str(&format!("![{words}]({name}.svg)\n\n"));
        self.pictures.push((format!("{name}.svg"), svg));
    }

    /// Writes the page and its pictures.
    pub fn write(self, folder: &Path) -> Result<()> {
        let text = format!("{}\n", self.text.trim_end());
        fs::write(folder.join(format!("{}.md", self.name)), text)?;
        for (name, svg) in self.pictures {
            fs::write(folder.join(name), svg)?;
        }
        Ok(())
    }
}

/// The title and the first answer of a page as it lies in the folder.
pub fn answer(folder: &Path, name: &str) -> Option<(String, String)> {
    let text = fs::read_to_string(folder.join(format!("{name}.md"))).ok()?;
    let (title, rest) = text.strip_prefix("# ")?.split_once("\n\n")?;
    let (answers, _) = rest.strip_prefix("- ")?.split_once("\n\n")?;
    let first = answers.split("\n- ").next()?;
    Some((title.to_owned(), first.replace("\n  ", " ")))
}

fn wrapped(words: &str, indent: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in words.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > LINE {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text
}

/// A share in per cent.
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", 100.0 * share)
}

/// A share in per cent without decimals.
pub fn whole_percent(share: f64) -> String {
    percent(share, 0)
}

/// A figure with its sign; a true minus sign, and none on what rounds to 0.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    match value {
        _ if zero => text,
        value if value < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}

/// A whole number with commas between thousands.
pub fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(percent(0.1234, 1), "12.3 %");
        assert_eq!(signed(-0.0004, 3), "0.000");
        assert_eq!(signed(-0.0016, 3), "−0.002");
        assert_eq!(signed(0.02, 2), "+0.02");
        assert_eq!(
            [7.0, 999.0, 1000.0, 73_820.0, 1_234_567.0].map(count),
            ["7", "999", "1,000", "73,820", "1,234,567"]
        );
    }

    #[test]
    fn lines_are_no_longer_than_they_may_be() {
        let words = "word ".repeat(60);
        let text = wrapped(&format!("- {words}"), "  ");
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  word")));
        assert_eq!(text.split_whitespace().count(), 61);
    }

    #[test]
    fn the_first_answer_is_read_back() {
        let folder = std::env::temp_dir().join(format!("pg_assess-page-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let answers = ["Yes. ".repeat(30), "No.".to_owned()];
        let mut page = Page::new("asked", "Who asked?", &answers);
        page.paragraph("More.");
        page.write(&folder).expect("is written");
        let found = answer(&folder, "asked");
        let expected = ("Who asked?".to_owned(), answers[0].trim_end().to_owned());
        assert_eq!(found, Some(expected));
        assert_eq!(answer(&folder, "nobody"), None);
        fs::remove_dir_all(&folder).expect("is removed");
    }
}
