//! What each option changes, and that it changes nothing else.

use std::collections::BTreeSet;

use pg_assess_it::rows;

use super::{call, with_sample};

/// Function, option, the columns that it must change, and those that it may: `*` for any. Columns
/// that belong together have one name.
const OPTIONS: &str = "
items       | as_of => '2025-12-31'       | n_effective, r_rest | *
items       | attempts => 'last'          | facility, last_at, r_rest | *
items       | attempts => 'best'          | facility, r_rest | *
items       | exclude => quizzes          | n_effective, r_rest, weight | *
items       | adjust_difficulty => false  | r_rest, weight | *
items       | shrink => false             | interval, discrimination, discrimination_se, weight | label
items       | weight_floor => 0.6         | weight |
items       | min_answers => 60           | verdict, weight | interval, discrimination, discrimination_se, label
items       | flag_answers => 70          | verdict, weight |
items       | flag_alpha => 0.3           | verdict, weight |
items       | upper_lower_share => 0.5    | discrimination_index |
items       | confidence => 0.5           | interval |
item_drift  | attempts => 'last'          | dates | *
item_drift  | attempts => 'best'          | dates | *
calibrate   | as_of => '2025-12-31'       | difficulty, discrimination, log_likelihood | *
calibrate   | attempts => 'last'          | difficulty, discrimination, facility, log_likelihood | *
calibrate   | attempts => 'best'          | difficulty, discrimination, facility, log_likelihood | *
calibrate   | exclude => quizzes          | difficulty, discrimination, log_likelihood | *
calibrate   | min_answers => 55           | difficulty, discrimination, log_likelihood, verdict | *
calibrate   | prior => false              | difficulty, discrimination, log_likelihood | *
calibrate   | nodes => 21                 | difficulty, discrimination, log_likelihood | *
calibrate   | max_iterations => 2         | converged, discrimination_se, iterations, warnings | *
calibrate   | tolerance => 0.1            | iterations, log_likelihood | *
calibrate   | confidence => 0.5           | difficulty_high, difficulty_low, discrimination_high, discrimination_low |
students    | half_life => '20 days'      | interval, information, level, level_se, need, need_rank, raw_level | prior
students    | as_of => '2025-12-31'       | due, information, last_at, level, n | *
students    | attempts => 'last'          | last_at, level, raw_level | *
students    | attempts => 'best'          | level, raw_level | *
students    | exclude => quizzes          | assessments, due, level, n, raw_level | *
students    | cut => 0.5                  | need | need_rank
students    | cut_share => 0.4            | need | need_rank
students    | adjust_difficulty => false  | level, level_se, raw_level, slope | *
students    | shrink => false             | interval, level, level_se, need, slope_se, trend_p | *
students    | weight_floor => 0.9         | level, raw_level, slope | *
students    | min_answers => 60           | level, raw_level | *
students    | flag_answers => 70          | level, raw_level | *
students    | flag_alpha => 0.3           | level, raw_level | *
students    | quality => false            | level, raw_level, slope | *
students    | counting => 'assessments'   | information, level, raw_level, slope | *
students    | counting => 'responses'     | information, level, raw_level, slope | *
students    | half_precision_items => 0   | information, level, raw_level, slope | *
students    | noise_df => 40              | interval, level, level_se, need | need_rank
students    | confidence => 0.5           | interval |
students    | stale_half_lives => 0.01    | verdict |
students    | trend_window => NULL        | slope, slope_se, trend_p | direction
students    | trend_window => '60 days'   | slope, slope_se, trend_p | direction
students    | trend_min_dates => 30       | direction |
students    | trend_min_span => '300 days'| direction, slope, slope_se, trend_p |
students    | trend_noise_df => 40        | slope_se, trend_p | direction
students    | trend_alpha => 0.5          | direction |
students    | steady_margin => 1          | direction |
students    | due_share => 1              | due, missing |
students    | previous => old             | interval, level, level_se, need, prior | need_rank
students    | previous => old, carry_over => 1 | interval, level, level_se, need, prior | need_rank
students    | previous => old, carry_over => 0 | |
students    | carry_over => 1             | |
students    | previous => gb              | |
assessments | attempts => 'last'          | alpha, last_at, mean, sd | alpha_se, sem
assessments | attempts => 'best'          | alpha, mean, sd | alpha_se, last_at, sem
coverage    | as_of => '2025-12-31'       | rows |
explain     | half_life => '20 days'      | contribution, decay, share | expected
explain     | as_of => '2025-12-31'       | decay, share | *
explain     | attempts => 'best'          | contribution, expected, share | *
explain     | adjust_difficulty => false  | contribution, expected, share | *
explain     | shrink => false             | contribution, share | expected, quality
explain     | weight_floor => 0.9         | contribution, quality, share | expected
explain     | min_answers => 60           | contribution, quality, share | expected
explain     | flag_answers => 70          | contribution, quality, share | expected
explain     | flag_alpha => 0.3           | contribution, quality, share | expected
explain     | quality => false            | contribution, quality, share | expected
explain     | counting => 'assessments'   | contribution, share | expected
explain     | counting => 'responses'     | contribution, share | expected
explain     | half_precision_items => 0   | contribution, share | expected
explain     | noise_df => 40              | contribution, share |
explain     | previous => old             | contribution, expected, share |
explain     | previous => old, carry_over => 0 | |
backtest    | cuts => '{2025-12-31}'      | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | cut_count => 3              | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | horizon => '30 days'        | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | weighted_target => true     | rmse, rank_correlation, coverage_80 | *
backtest    | half_life => '20 days'      | rmse, rank_correlation, coverage_80 | *
backtest    | as_of => '2025-12-31'       | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | attempts => 'last'          | rmse, rank_correlation | *
backtest    | attempts => 'best'          | rmse, rank_correlation | *
backtest    | exclude => quizzes          | n, rmse, rank_correlation, recall, coverage_80 | *
backtest    | cut_share => 0.4            | recall, recall_difference, need_error | bounds, rank_correlation, rank_correlation_difference
backtest    | adjust_difficulty => false  | rmse, rank_correlation, coverage_80 | *
backtest    | shrink => false             | rmse, coverage_80 | *
backtest    | weight_floor => 0.9         | rmse | *
backtest    | min_answers => 60           | rmse | *
backtest    | flag_answers => 70          | rmse | *
backtest    | flag_alpha => 0.3           | rmse | *
backtest    | quality => false            | rmse | *
backtest    | counting => 'assessments'   | rmse | *
backtest    | counting => 'responses'     | rmse | *
backtest    | half_precision_items => 0   | rmse | *
backtest    | noise_df => 40              | rmse, coverage_80, need_error | *
backtest    | confidence => 0.5           | bounds |
backtest    | resamples => 60             | bounds |
backtest    | seed => 2                   | bounds |
half_life_advice | half_life => '90 days'     | advice, in_use | *
half_life_advice | as_of => '2025-12-31'      | n, rmse, difference, interval | *
half_life_advice | attempts => 'best'         | rmse, difference, interval | *
half_life_advice | exclude => quizzes         | n, rmse, difference, interval | *
half_life_advice | adjust_difficulty => false | rmse, difference, interval | *
half_life_advice | shrink => false            | rmse, difference, interval | *
half_life_advice | weight_floor => 0.9        | rmse, difference, interval | *
half_life_advice | min_answers => 60          | rmse, difference, interval | *
half_life_advice | flag_answers => 70         | rmse, difference, interval | *
half_life_advice | flag_alpha => 0.3          | rmse, difference, interval | *
half_life_advice | quality => false           | rmse, difference, interval | *
half_life_advice | counting => 'responses'    | n, rmse, difference, interval | *
half_life_advice | half_precision_items => 0  | rmse, difference, interval | *
half_life_advice | confidence => 0.5          | interval | indistinguishable, advice
half_life_advice | resamples => 60            | interval | indistinguishable, advice
half_life_advice | seed => 2                  | interval | indistinguishable, advice
";

/// The ends of the intervals of a back-test.
const BOUNDS: [&str; 6] = [
    "rmse_difference_low",
    "rmse_difference_high",
    "rank_correlation_difference_low",
    "rank_correlation_difference_high",
    "recall_difference_low",
    "recall_difference_high",
];

/// What distinguishes one row of a result from the others.
const KEY: [&str; 9] = [
    "student",
    "item",
    "assessment",
    "reason",
    "target",
    "scope",
    "cut_at",
    "assessments_from",
    "method",
];

#[test]
fn every_option_changes_what_it_says_and_nothing_else() {
    let (_database, mut session) = with_sample("Math");
    for [function, option, must, may] in rows(OPTIONS) {
        let key = |row: &str| {
            // Other half-lives are tried besides the one in use.
            let names = match function {
                "half_life_advice" => &["half_life"][..],
                _ => &KEY[..],
            };
            let values = names.iter().map(|name| format!("{row}.row ->> '{name}'"));
            format!("concat_ws('|', {})", values.collect::<Vec<_>>().join(", "))
        };
        let (key_of_plain, key_of_other) = (key("p"), key("o"));
        let changed = session.table(&format!(
            "WITH g AS (SELECT gb, old, (SELECT array_agg(assessment_id::text) FROM sample.assessments
                                    WHERE kind = 'quiz') AS quizzes FROM g),
                  plain AS (SELECT to_jsonb(r) AS row FROM g, {} r),
                  other AS (SELECT to_jsonb(r) AS row FROM g, {} r)
             SELECT DISTINCT name COLLATE \"C\"
             FROM plain p JOIN other o
               ON {key_of_plain} = {key_of_other},
                  jsonb_object_keys(p.row) AS name
             WHERE p.row -> name IS DISTINCT FROM o.row -> name ORDER BY 1",
            call(function, "gb", ""),
            call(function, "gb", option),
        ));
        let set = |list: &str| -> BTreeSet<String> {
            let list = list
                .replace("interval", "ci_high, ci_low")
                .replace("bounds", &BOUNDS.join(", "))
                .replace(
                    "split",
                    "changed_at, facility_after, facility_before, n_after, n_before",
                )
                .replace("verdict", "status, status_rank")
                .replace("direction", "trend, trend_rank");
            let names = list.split(", ").filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let (changed, must, may) = (BTreeSet::from_iter(changed), set(must), set(may));
        assert!(
            must.is_subset(&changed),
            "{function}, {option}: {must:?} in {changed:?}"
        );
        let allowed = may.contains("*") || changed.is_subset(&must.union(&may).cloned().collect());
        assert!(allowed, "{function}, {option}: {changed:?}");
    }
}

#[test]
fn excluded_assessments_are_gone() {
    let (_database, mut session) = with_sample("Math");
    let before: Vec<String> = session.table("SELECT assessment FROM g, assess.assessments(gb)");
    let gone = &before[1];
    let exclude = format!("exclude => ARRAY['{gone}', 'no such assessment', NULL]");
    let left = session.table(&format!(
        "SELECT assessment FROM g, assess.assessments(gb, {exclude})"
    ));
    assert_eq!(left.len(), before.len() - 1);
    assert!(!left.contains(gone));
    assert_eq!(
        session.table(&format!(
            "SELECT count(*) FROM g, assess.items(gb, {exclude}) i
             JOIN sample.questions q ON q.question_id::text = i.item WHERE q.assessment_id = {gone}"
        )),
        ["0"]
    );
    assert_eq!(
        session.table(&format!(
            "SELECT count(*) FROM g, assess.explain(gb, '1', {exclude}) WHERE assessment = '{gone}'"
        )),
        ["0"]
    );
}
