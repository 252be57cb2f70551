//! The data sets as plain values.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use csv::StringRecord;
use pg_assess_core::gradebook::Id;

use pg_assess_test_support::{OwnRow, Table, gradebook, number, row};

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

/// One presentation of a module of the Open University Learning Analytics Dataset.
#[derive(Debug, Clone)]
pub struct Course {
    pub module: String,
    pub presentation: String,
    /// Results, each assessment being one item; days count from the start of the course.
    pub rows: Vec<OwnRow>,
    pub roster: Vec<Enrolment>,
}

impl Course {
    /// The gradebook of all results.
    pub fn gradebook(&self) -> Vec<u8> {
        gradebook(&self.rows)
    }
}

/// The number that stands for a student, assessment or item.
pub fn number_of(id: Id<'_>) -> i64 {
    match id {
        Id::Integer(id) => id,
        other => panic!("{other} is not a number"),
    }
}

/// One student of one course.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pub student: i64,
    /// The day on which the student left, if so.
    pub left: Option<f64>,
    /// Failed or withdrew in the end.
    pub failed: bool,
    pub region: String,
    pub gender: String,
    pub age: String,
    pub deprivation: String,
    pub disability: String,
}

/// Who must be named wherever figures from these data are shown (CC BY 4.0).
pub const OULAD_ATTRIBUTION: &str = "Data: Open University Learning Analytics Dataset, Kuzilek, \
    Hlosta and Zdrahal (2017), Scientific Data 4:170171, <https://doi.org/10.1038/sdata.2017.171>, \
    [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/).";

/// A first task that is only marked as done (100) or not (0), and weighs nothing in its course.
const DONE_MARK: &str = "15020";

/// The courses in `folder`, without final exams, results carried over from an earlier presentation
/// (banked) and [`DONE_MARK`]; none unless the files are there.
pub fn courses(folder: &Path) -> Option<Vec<Course>> {
    let tables: Option<Vec<Table>> = [
        "assessments",
        "studentAssessment",
        "studentInfo",
        "studentRegistration",
    ]
    .iter()
    .map(|name| folder.join(format!("{name}.csv.gz")))
    .map(|path| path.exists().then(|| Table::read(&path)))
    .collect();
    let [assessments, results, information, registrations] = &tables?[..] else {
        return None;
    };
    let key = |table: &Table, row: &StringRecord| {
        ["code_module", "code_presentation"].map(|name| row[table.column(name)].to_owned())
    };
    let student = |table: &Table, row: &StringRecord| integer(&row[table.column("id_student")]);

    let mut courses: BTreeMap<[String; 2], Course> = BTreeMap::new();
    let mut course_of = HashMap::new();
    for row in &assessments.rows {
        let key = key(assessments, row);
        let [module, presentation] = key.clone();
        courses.entry(key.clone()).or_insert(Course {
            module,
            presentation,
            rows: Vec::new(),
            roster: Vec::new(),
        });
        let id = &row[assessments.column("id_assessment")];
        if &row[assessments.column("assessment_type")] != "Exam" && id != DONE_MARK {
            course_of.insert(id, key);
        }
    }
    let column = |name: &str| results.column(name);
    let (assessment, day, score, banked) = (
        column("id_assessment"),
        column("date_submitted"),
        column("score"),
        column("is_banked"),
    );
    for result in results.rows.iter().filter(|row| &row[banked] == "0") {
        let Some(key) = course_of.get(&result[assessment]) else {
            continue;
        };
        let id = integer(&result[assessment]);
        let day = number(&result[day]).expect("a day");
        courses.get_mut(key)?.rows.push(OwnRow {
            score: number(&result[score]).map(|score| score / 100.0),
            ..row(student(results, result), id, id, 0.0, day)
        });
    }
    let left: HashMap<_, _> = registrations
        .rows
        .iter()
        .map(|row| {
            let day = number(&row[registrations.column("date_unregistration")]);
            ((key(registrations, row), student(registrations, row)), day)
        })
        .collect();
    for row in &information.rows {
        let (key, student) = (key(information, row), student(information, row));
        let text = |name: &str| row[information.column(name)].to_owned();
        courses.get_mut(&key)?.roster.push(Enrolment {
            student,
            left: *left.get(&(key, student))?,
            failed: ["Fail", "Withdrawn"].contains(&text("final_result").as_str()),
            region: text("region"),
            gender: text("gender"),
            age: text("age_band"),
            deprivation: text("imd_band"),
            disability: text("disability"),
        });
    }
    Some(courses.into_values().collect())
}

fn integer(text: &str) -> i64 {
    text.parse().expect("a whole number")
}
