//! The documentation is true: the SQL of each page runs, in order, in one psql session in a
//! database of its own, and what psql says is what the page shows.
//!
//! A fence ```` ```sql ```` runs. When the next thing after it is a fence ```` ```text ```` or one
//! without a language, that must be its output to the letter; otherwise it must not fail. A fence
//! ```` ```sql no-run ```` is only shown, and shows no output.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pg_assess_it::{Database, root};

/// SQL of a page, and the output that it claims.
#[derive(Debug, Clone, PartialEq)]
struct Example {
    /// Line of the page on which its fence opens.
    line: usize,
    sql: String,
    output: Option<String>,
}

/// A fenced block: its line, what stands behind the opening fence, and its text.
struct Fence {
    line: usize,
    /// The line after its end.
    end: usize,
    info: String,
    text: String,
}

fn fences(page: &str) -> Result<Vec<Fence>, String> {
    let mut found: Vec<Fence> = Vec::new();
    // The mark and the indentation of the fence that is open.
    let mut open: Option<(&str, usize)> = None;
    for (line, text) in (1..).zip(page.lines()) {
        let content = text.trim_start();
        let indent = text.len() - content.len();
        match open {
            None if content.starts_with("```") => {
                let mark = &content[..content.len() - content.trim_start_matches('`').len()];
                let info = content[mark.len()..].trim().to_owned();
                open = Some((mark, indent));
                found.push(Fence {
                    line,
                    end: 0,
                    info,
                    text: String::new(),
                });
            }
            None => {}
            Some((mark, _)) if content.trim_end() == mark => {
                open = None;
                if let Some(fence) = found.last_mut() {
                    fence.end = line + 1;
                }
            }
            Some((_, outer)) => {
                if let Some(fence) = found.last_mut() {
                    fence.text.push_str(&text[indent.min(outer)..]);
                    fence.text.push('\n');
                }
            }
        }
    }
    match (open, found.last()) {
        (Some(_), Some(fence)) => Err(format!("line {}: the fence does not end", fence.line)),
        _ => Ok(found),
    }
}

/// The examples of a page in order.
fn examples(page: &str) -> Result<Vec<Example>, String> {
    let fences = fences(page)?;
    let lines: Vec<&str> = page.lines().collect();
    let mut found = Vec::new();
    for (at, fence) in fences.iter().enumerate() {
        let output = fences.get(at + 1).filter(|next| {
            let between = &lines[fence.end - 1..next.line - 1];
            ["", "text"].contains(&next.info.as_str())
                && between.iter().all(|line| line.trim().is_empty())
        });
        match fence.info.as_str() {
            "sql" => found.push(Example {
                line: fence.line,
                sql: fence.text.clone(),
                output: output.map(|next| next.text.clone()),
            }),
            "sql no-run" if output.is_some() => {
                return Err(format!(
                    "line {}: what does not run has no output",
                    fence.line
                ));
            }
            "sql no-run" => {}
            other if other.starts_with("sql") => {
                return Err(format!("line {}: unknown fence {other}", fence.line));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Runs the examples in one session and gives what psql said to each.
fn run(examples: &[Example]) -> Vec<String> {
    let creates = |example: &Example| example.sql.to_lowercase().contains("create extension");
    let database = if examples.iter().any(creates) {
        Database::bare()
    } else {
        Database::new()
    };
    let separator = |at: usize| format!("-- end of example {at} --");
    let mut psql = Command::new("sh")
        // Messages and results in the order in which they came.
        .args(["-c", "exec psql -X -d \"$0\" 2>&1", database.name()])
        .env("PGCLIENTENCODING", "UTF8")
        .env("PSQL_PAGER", "")
        .env_remove("PGOPTIONS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql runs");
    let mut input = psql.stdin.take().expect("psql reads");
    let script: String = (0..)
        .zip(examples)
        .map(|(at, example)| format!("{}\\echo '{}'\n", example.sql, separator(at)))
        .collect();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = psql.wait_with_output().expect("psql ends");
    writer.join().expect("no panic").expect("psql read all");
    let mut rest = String::from_utf8(output.stdout).expect("psql writes UTF-8");
    (0..examples.len())
        .map(|at| {
            let end = format!("{}\n", separator(at));
            let (said, after) = rest.split_once(&end).unwrap_or((&rest, ""));
            let (said, after) = (said.to_owned(), after.to_owned());
            rest = after;
            said
        })
        .collect()
}

/// What a page claims and does not hold.
fn lies(page: &str) -> Result<Vec<String>, String> {
    let examples = examples(page)?;
    if examples.is_empty() {
        return Ok(Vec::new());
    }
    let said = run(&examples);
    let wrong = examples.iter().zip(said).filter_map(|(example, said)| {
        let right = match &example.output {
            Some(output) => plain(output) == plain(&said),
            None => !said
                .lines()
                .any(|line| line.starts_with("ERROR:") || line.starts_with("psql:")),
        };
        let shown = example.output.as_deref().unwrap_or("no error\n");
        (!right).then(|| format!("line {}\n--- shown\n{shown}--- said\n{said}", example.line))
    });
    Ok(wrong.collect())
}

/// Blanks at the ends of lines and empty lines at the end are no content. Nor is of which group a
/// warning shows: that of several is up to the plan, and so to the version of Postgres.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| match line.split_once("_agg left out ") {
            Some((found, rest)) if rest.contains(" rows of a group: ") => found,
            _ => line.trim_end(),
        })
        .collect();
    lines.join("\n").trim_end().to_owned()
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("is readable").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => pages(path),
            Some(extension) if extension == "md" => vec![path.clone()],
            _ => Vec::new(),
        })
        .collect()
}

/// README.md and all below docs.
fn all_pages() -> Vec<PathBuf> {
    let mut all = vec![root().join("README.md")];
    all.extend(pages(&root().join("docs")));
    all
}

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

#[test]
fn every_page_shows_what_psql_says() {
    let mut wrong = String::new();
    for page in all_pages() {
        let name = page.display();
        match lies(&read(&page)) {
            Ok(lies) => lies
                .iter()
                .for_each(|lie| wrong.push_str(&format!("{name}, {lie}\n"))),
            Err(error) => wrong.push_str(&format!("{name}, {error}\n")),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The lines of a page that are not in a fence.
fn prose(page: &str) -> Vec<&str> {
    let fences = fences(page).unwrap_or_default();
    let outside = |line: &usize| fences.iter().all(|f| *line < f.line || *line >= f.end);
    let lines = (1..).zip(page.lines());
    lines
        .filter(|(line, _)| outside(line))
        .map(|(_, text)| text)
        .collect()
}

/// What a heading is called in a link, as forges do: lower case, no punctuation, hyphens for
/// blanks.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    title
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut links = 0;
    for page in all_pages() {
        let text = read(&page);
        let targets = prose(&text).join("\n");
        let targets = targets
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
            links += 1;
            let (path, place) = target.split_once('#').unwrap_or((target, ""));
            let linked = match path {
                "" => page.clone(),
                path => page.parent().expect("a folder").join(path),
            };
            let found = linked.exists()
                && (place.is_empty()
                    || prose(&read(&linked))
                        .iter()
                        .any(|line| line.starts_with('#') && anchor(line) == place));
            if !found {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(links > 100, "{links} links");
}

#[test]
fn every_function_has_its_place_in_the_reference() {
    let signatures: String = pages(&root().join("docs/reference"))
        .iter()
        .flat_map(|page| fences(&read(page)).expect("fences end"))
        .filter(|fence| fence.info == "sql no-run")
        .map(|fence| fence.text)
        .collect();
    let database = Database::new();
    let mut session = database.session();
    // Functions of one argument that is a summary are listed in the table of its page.
    let names = session.table(
        "SELECT DISTINCT proname FROM pg_proc
         WHERE pronamespace = 'assess'::regnamespace AND proname NOT LIKE '\\_%'
           AND proname !~ '_(in|out|recv|send)$' AND prokind IN ('f', 'a')
           AND NOT (prokind = 'f' AND proargtypes[0]::regtype::text LIKE '%\\_summary')
         ORDER BY proname",
    );
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<&String> = names
        .iter()
        .filter(|name| !signatures.contains(&format!("assess.{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_page_that_is_true_passes() {
    let page = r#"
Words, and a fence of another language:

```sh
make install
```

```sql
CREATE EXTENSION pg_assess;
CREATE TABLE t AS SELECT 1 AS n;
```

```sql
SELECT n, 'ö' AS word FROM t;
SELECT 1 / 0;
```

```text
 n | word
---+------
 1 | ö
(1 row)

ERROR:  division by zero
```

1. In a list:

   ```sql
   \echo 'of psql'
   DO $$ BEGIN RAISE WARNING 'look out'; END $$;
   SELECT assess.gradebook_agg(1, 1, 1, 1, now()) IS NULL AS empty;
   ```
   ```
   of psql
   WARNING:  look out
   DO
    empty
   -------
    f
   (1 row)
   ```

```sql no-run
DROP TABLE t;
```

A fence after words is not the output of the one before them.

```sql
SELECT count(*) FROM t;
```
Like this:
```text
nothing
```
"#;
    assert_eq!(lies(page), Ok(Vec::new()));
}

#[test]
fn a_page_that_does_not_is_caught() {
    let lie = |page: &str| lies(page).map(|lies| lies.len());
    assert_eq!(
        lie("```sql\nSELECT 1;\n```\n\n```text\n 2\n```\n"),
        Ok(1),
        "a wrong output"
    );
    assert_eq!(
        lie("```sql\nSELECT 1 / 0;\n```\n"),
        Ok(1),
        "an error that is not shown"
    );
    assert_eq!(
        lie("```sql\n\\q\n```\n\n```sql\nSELECT 1;\n```\n```\n 1\n```\n"),
        Ok(1),
        "an end"
    );
    assert!(
        lie("```sql no-run\nSELECT 1;\n```\n```text\n 1\n```\n").is_err(),
        "an empty output"
    );
    assert!(
        lie("```sql norun\nSELECT 1;\n```\n").is_err(),
        "a misspelt mark"
    );
    assert!(lie("```sql\nSELECT 1;\n").is_err(), "an open fence");
    assert_eq!(lie("No SQL at all."), Ok(0));
}
