//! The sample network.

use pg_assess_core::forecasts::backtest::{Figures, Method, Target};
use pg_assess_core::questions::quality::ItemStatus;
use pg_assess_core::sample::{Flaw, Path, Subject};
use pg_assess_core::students::trend::Direction;

use super::accuracy::{difference, figure};
use crate::backtest::of;
use crate::network::{self, Hindsight, Year};
use crate::page::{Page, count, signed, whole_percent};
use crate::plot::{Plot, Scale};
use crate::statistics::{Count, mean};

/// The page.
pub fn page() -> Page {
    let years = network::years();
    let hindsight = network::hindsight();
    let mut page = Page::new(
        "sample_network",
        "Is the known truth of the sample network found again?",
        &answers(&years, &hindsight),
    );
    page.picture(
        "sample_network",
        "Level against true ability in mathematics, one dot a student, coloured by school",
        network_picture(&years),
    );
    page.section("How it was done");
    page.paragraph(&format!(
        "The network that `assess.sample_network()` makes, and {} more like it with other seeds: \
         each of four schools and 240 students, with questions that have a wrong key or are \
         answered at random. Ability is that of the last day, in standard deviations of the \
         network; an error is ability less what a straight line makes of the level.",
        network::SEEDS.count() - 1
    ));
    by_subject(&mut page, &years);
    by_school(&mut page, &years);
    page.section("Later scores");
    predicted(&mut page, &hindsight);
    page.section("Limits");
    page.list(&[
        "The network is made by the usual model of such data. That the figures find its truth \
         again shows that the arithmetic does what it should, not that real schools are like it."
            .to_owned(),
    ]);
    page
}

fn sum(counts: impl Iterator<Item = Count>) -> Count {
    let mut sum = Count::default();
    counts.for_each(|count| sum += count);
    sum
}

/// Root mean square.
fn typical(errors: impl IntoIterator<Item = f64>) -> f64 {
    mean(errors.into_iter().map(|error| error * error)).sqrt()
}

fn answers(years: &[Year], hindsight: &[Hindsight]) -> Vec<String> {
    let average = |figure: fn(&Year) -> f64| mean(years.iter().map(figure));
    let questions = |flaw, states: &[ItemStatus]| {
        sum(years.iter().map(|year| year.questions_with(flaw, states)))
    };
    let called_falling = |path| {
        let of_year = |year: &Year| year.labelled(Direction::Falling, path);
        sum(years.iter().map(of_year))
    };
    let flawed = [ItemStatus::Flawed];
    let keys = questions(Flaw::Miskeyed, &flawed);
    let guessed = questions(Flaw::Random, &flawed);
    let doubted = questions(Flaw::Random, &[ItemStatus::Flawed, ItemStatus::Suspect]);
    let sound = questions(Flaw::None, &flawed);
    let falling = called_falling(Path::Falling);
    let opposite = called_falling(Path::Rising);
    let schools = years.iter().flat_map(|year| {
        let schools = 0..year.schools.len();
        schools.map(|school| school_error(year, school).0.abs())
    });
    let largest = schools.fold(0.0, f64::max);
    let both = |subject, weighted| level_against_mean(hindsight, subject, weighted);
    vec![
        format!(
            "Levels put students in nearly their true order: rank correlation {:.2} with true \
             ability, plain means {:.2}. Of the fifth with the greatest need, {} are truly in \
             the lowest fifth.",
            average(Year::by_level),
            average(Year::by_plain_mean),
            whole_percent(average(|year| year.needy().share()))
        ),
        format!(
            "No school is favoured: its mean error is at most {largest:.2} standard \
             deviations of ability in any subject. A single student's is typically {:.2}.",
            typical(years.iter().flat_map(Year::errors))
        ),
        format!(
            "{} of {} questions with a wrong key are called flawed, {} of {} answered at \
             random ({} with those called suspect), and {} of {} sound ones.",
            count(keys.yes),
            count(keys.of),
            count(guessed.yes),
            count(guessed.of),
            count(doubted.yes),
            count(sound.yes),
            count(sound.of)
        ),
        format!(
            "Of {} students called falling, {} truly fall, the others are steady but for a \
             little wandering, and {} truly rise.",
            count(falling.of),
            count(falling.yes),
            match opposite.yes {
                0.0 => "none".to_owned(),
                yes => count(yes),
            }
        ),
        format!(
            "The mean of the next 90 days is predicted better by the level than by the plain \
             mean in mathematics (error {}) and science ({}). In ELA it is predicted worse \
             ({}), unless questions are weighed as in a level ({}).",
            both(Subject::Math, false),
            both(Subject::Science, false),
            both(Subject::Ela, false),
            both(Subject::Ela, true)
        ),
    ]
}

/// Errors of the forecasts for 90 days.
fn level_against_mean(hindsight: &[Hindsight], subject: Subject, weighted: bool) -> String {
    let own = hindsight
        .iter()
        .find(|own| (own.subject, own.weighted, own.target) == (subject, weighted, Target::Horizon))
        .expect("every subject");
    let [level, mean] = [Method::Level, Method::OverallMean]
        .map(|method| of(&own.figures, method).rmse.expect("an error"));
    format!("{level:.3} against {mean:.3}")
}

fn by_subject(page: &mut Page, years: &[Year]) {
    let rows: Vec<Vec<String>> = Subject::ALL
        .iter()
        .map(|subject| {
            let of: Vec<&Year> = years
                .iter()
                .filter(|year| year.subject == *subject)
                .collect();
            let average = |figure: &dyn Fn(&Year) -> f64| mean(of.iter().map(|year| figure(year)));
            let keys = of
                .iter()
                .map(|year| year.questions_with(Flaw::Miskeyed, &[ItemStatus::Flawed]));
            let found = sum(keys);
            let errors = of.iter().flat_map(|year| year.errors());
            vec![
                subject.label().to_owned(),
                format!("{:.3}", average(&Year::by_level)),
                format!("{:.3}", average(&Year::by_plain_mean)),
                whole_percent(average(&|year| year.needy().share())),
                format!("{:.2}", typical(errors)),
                format!("{} of {}", count(found.yes), count(found.of)),
            ]
        })
        .collect();
    page.table(
        &[
            "subject",
            "level",
            "plain mean",
            "need in the lowest fifth",
            "typical error",
            "wrong keys found",
        ],
        &rows,
    );
}

fn by_school(page: &mut Page, years: &[Year]) {
    page.paragraph(
        "Mean and typical error by school, in standard deviations of ability, for the network of \
         the first seed. Above 0: the school's students can do more than their levels say.",
    );
    let first: Vec<&Year> = years
        .iter()
        .filter(|year| year.seed == *network::SEEDS.start())
        .collect();
    let mut rows = Vec::new();
    for school in 0..first[0].schools.len() {
        let mut row = vec![first[0].schools[school].clone()];
        for year in &first {
            let (error, typical) = school_error(year, school);
            row.push(format!("{}, {typical:.2}", signed(error, 2)));
        }
        rows.push(row);
    }
    let header: Vec<&str> = std::iter::once("school")
        .chain(first.iter().map(|year| year.subject.label()))
        .collect();
    page.table(&header, &rows);
}

/// How well later scores are predicted, judged by plain scores and by weighted ones.
fn predicted(page: &mut Page, all: &[Hindsight]) {
    page.paragraph(
        "On ten dates of the year the next assessment, and the mean of the next 90 days, are \
         predicted from what was known then (network of the first seed). What came is judged in \
         two ways: by plain scores, every question alike, or with each question weighed as it is \
         for a level. In brackets 95 % intervals by drawing students.",
    );
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|own| {
            let [plain, level] = [Method::OverallMean, Method::Level].map(|m| of(&own.figures, m));
            let mut row = vec![
                own.subject.label().to_owned(),
                match own.target {
                    Target::Next => "next score".to_owned(),
                    Target::Horizon => "90 days".to_owned(),
                },
                if own.weighted { "weighted" } else { "plain" }.to_owned(),
                count(level.n as f64),
            ];
            for (at, decimals) in [(0, 4), (1, 3)] {
                let own = |figures: &Figures| [figures.rmse, figures.rank_correlation][at];
                row.extend([plain, level].map(|figures| figure(own(figures), decimals)));
                row.push(difference(level.differences[at], decimals));
            }
            row
        })
        .collect();
    page.table(
        &[
            "subject",
            "predicted",
            "judged by",
            "forecasts",
            "error of the mean",
            "of the level",
            "difference",
            "rank correlation of the mean",
            "of the level",
            "difference",
        ],
        &rows,
    );
    page.paragraph(
        "Most assessments in ELA are spelling tests, and spelling has nearly nothing to do \
         with the ability behind the rest. So its words weigh little in a level, and a level \
         predicts the next spelling test, and any mean that is full of them, worse than a plain \
         mean does. Whether that is a fault depends on whether spelling is what one wants to know: \
         with spelling counted as little as in a level, the 90 days are predicted better by the \
         level. The next score alone, which often is a spelling test, is not, whichever way it is \
         judged. Where spelling matters by itself, make it a subject of its own.",
    );
}

/// Mean and root mean square error of one school's students.
fn school_error(year: &Year, school: usize) -> (f64, f64) {
    let errors: Vec<f64> = year
        .errors()
        .into_iter()
        .zip(&year.students)
        .filter(|(_, student)| student.school == school)
        .map(|(error, _)| error)
        .collect();
    (mean(errors.iter().copied()), typical(errors))
}

fn network_picture(years: &[Year]) -> String {
    let year = years
        .iter()
        .find(|year| year.subject == Subject::Math)
        .expect("mathematics");
    let level = Scale::steps("level", (0.2, 1.0), 0.2, whole_percent);
    let words = "true ability at the end of the year, standard deviations";
    let ability = Scale::steps(words, (-4.0, 4.0), 1.0, |v| signed(v, 0));
    let mut plot = Plot::new("Level and true ability in mathematics", &level, &ability);
    for (school, name) in year.schools.iter().enumerate() {
        let here = year
            .students
            .iter()
            .filter(|student| student.school == school);
        let points: Vec<(f64, f64)> = here.map(|s| (s.level, s.ability)).collect();
        plot.cloud(name, &points);
    }
    plot.finish()
}
