//! Are all groups of students served alike? Errors and flags by what the roster says of students.
//! The product never sees any of it.

use std::collections::{BTreeMap, HashMap};

use crate::backtest::{Case, Predicted};
use crate::data::{Course, Enrolment};
use crate::statistics::{Count, over_groups};

/// What is known of forecasts of one group in one course.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// What came less the level, and less the plain mean.
    pub error: Count,
    pub error_of_mean: Count,
    pub square: Count,
    /// What came within the 80 % interval.
    pub within: Count,
    /// Truly among the lowest fifth, and named as such by need.
    pub low: Count,
    pub flagged: Count,
    /// Of the truly lowest, those named.
    pub found: Count,
}

impl Sums {
    fn add(&mut self, case: &Case) {
        self.error.add(case.error());
        self.error_of_mean.add(case.observed - case.overall_mean);
        self.square.add(case.error().powi(2));
        self.within.add(case.within(0));
        self.low.add(case.low);
        self.flagged.add(case.flagged);
        self.found += Count {
            yes: case.low * case.flagged,
            of: case.low,
        };
    }

    fn pool<'a>(courses: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for own in courses {
            sum.error += own.error;
            sum.error_of_mean += own.error_of_mean;
            sum.square += own.square;
            sum.within += own.within;
            sum.low += own.low;
            sum.flagged += own.flagged;
            sum.found += own.found;
        }
        sum
    }

    /// Root mean square error of the level.
    pub fn rmse(&self) -> f64 {
        self.square.share().sqrt()
    }
}

/// What a group is a group of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trait {
    Gender,
    Age,
    Deprivation,
    Disability,
    Region,
}

impl Trait {
    pub const ALL: [Self; 5] = [
        Self::Gender,
        Self::Age,
        Self::Deprivation,
        Self::Disability,
        Self::Region,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Gender => "gender",
            Self::Age => "age",
            Self::Deprivation => "deprivation of the home",
            Self::Disability => "disability",
            Self::Region => "region",
        }
    }

    fn of(self, who: &Enrolment) -> String {
        let text = match self {
            Self::Gender => match who.gender.as_str() {
                "F" => "women",
                _ => "men",
            },
            Self::Age => match who.age.as_str() {
                "0-35" => "under 35 years",
                "35-55" => "35 to 55 years",
                _ => "over 55 years",
            },
            // Tenths of all areas, the most deprived first; the file writes 10-20 without a sign.
            Self::Deprivation => match who.deprivation.trim_end_matches('%') {
                "0-10" | "10-20" => "area: most deprived fifth",
                "20-30" | "30-40" => "area: second fifth",
                "40-50" | "50-60" => "area: third fifth",
                "60-70" | "70-80" => "area: fourth fifth",
                "80-90" | "90-100" => "area: wealthiest fifth",
                _ => "area: not known",
            },
            Self::Disability => match who.disability.as_str() {
                "1" => "declared a disability",
                _ => "none declared",
            },
            Self::Region => who.region.as_str(),
        };
        text.to_owned()
    }

    /// Where a group stands beside the others of its kind.
    fn place(name: &str) -> usize {
        const ORDER: [&str; 8] = [
            "under 35 years",
            "35 to 55 years",
            "over 55 years",
            "area: most deprived fifth",
            "area: second fifth",
            "area: third fifth",
            "area: fourth fifth",
            "area: wealthiest fifth",
        ];
        let place = ORDER.iter().position(|known| *known == name);
        place.unwrap_or(ORDER.len())
    }
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    pub of: Trait,
    pub name: String,
    courses: Vec<Sums>,
}

impl Group {
    /// All courses together.
    pub fn total(&self) -> Sums {
        Sums::pool(&self.courses)
    }

    /// 95 % interval of a figure, by drawing whole courses.
    pub fn interval(&self, figure: fn(&Sums) -> f64) -> (f64, f64) {
        over_groups(&self.courses, |drawn| {
            figure(&Sums::pool(drawn.iter().copied()))
        })
    }
}

/// Every group, in the order of the traits.
pub fn groups(courses: &[Course], predicted: &Predicted) -> Vec<Group> {
    let roster: HashMap<(usize, i64), &Enrolment> = courses
        .iter()
        .enumerate()
        .flat_map(|(at, course)| {
            course
                .roster
                .iter()
                .map(move |who| ((at, who.student), who))
        })
        .collect();
    let mut sums: BTreeMap<(Trait, usize, String), BTreeMap<usize, Sums>> = BTreeMap::new();
    for case in &predicted.cases {
        let who = roster[&(case.course, case.student)];
        for of in Trait::ALL {
            let name = of.of(who);
            let key = (of, Trait::place(&name), name);
            let courses = sums.entry(key).or_default();
            courses.entry(case.course).or_default().add(case);
        }
    }
    sums.into_iter()
        .map(|((of, _, name), courses)| Group {
            of,
            name,
            courses: courses.into_values().collect(),
        })
        .collect()
}
