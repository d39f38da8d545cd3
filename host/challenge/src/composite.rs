//! The composite score: quality, and how little a prediction costs against the field.
//!
//! `score = quality × Q + flops × E + carbon × E` by the weights of the challenge, 0.70, 0.20 and 0.10 unless it says otherwise.
//! `E = 1 / (1 + (c / m)^k)` with `k = ln 19 / (ln m − ln p)` for a cost `c` in a field of median `m` and tenth
//! percentile `p`: 0.5 at the median, 0.95 at the tenth percentile. FLOPs and gCO2e of one challenge differ by a constant factor
//! ([`CarbonFactors`](crate::challenge::CarbonFactors)), which cancels in `c / m`: both have the same `E`, computed from FLOPs.
//!
//! What a field is, and what a prediction is worth in it, is computed from published figures only, so that anyone can do it
//! again.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_datasets::Digest;

use crate::result::Score;

/// Teams from which on the field is no longer padded, and the votes it is padded to.
const FULL_FIELD: usize = 5;

/// `ln m − ln p` is held between the logarithms of these: near ties are not magnified, and a field of extremes still tells
/// its members apart.
const SPREAD: (f64, f64) = (2.0, 1_000.0);

/// What a challenge says of its composite score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    /// What quality and cost count; together 1.
    #[serde(default)]
    pub weights: Weights,
    /// Results worse than this score 0, are not ranked and are no part of the field.
    pub floor: f64,
    /// The best possible value of the ranking metric.
    #[serde(default = "default_best")]
    pub best: f64,
    /// How the ranking metric becomes quality.
    #[serde(default)]
    pub quality: Quality,
    /// Models of the owner that are members of the field for good, 0 to 6. Their figures are measured.
    pub house: Vec<HouseBaseline>,
    /// FLOPs a row of a usual model, 1 to 2^33: pads a field of fewer than five teams.
    pub reference_flops: f64,
}

const fn default_best() -> f64 {
    1.0
}

/// What the parts of a composite score count, each 0 to 1, together 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Quality.
    pub quality: f64,
    /// FLOPs of a prediction.
    pub flops: f64,
    /// gCO2e of a prediction.
    pub carbon: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { quality: 0.7, flops: 0.2, carbon: 0.1 }
    }
}

/// How a metric becomes quality, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// The metric as it is; below 0 counts as 0.
    #[default]
    Metric,
    /// `(metric − floor) / (best − floor)`: what was reached of what can be reached. Also for metrics of which less is better.
    Skill,
}

/// A model of the owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseBaseline {
    /// What pages call it, 1 to 63 characters, unique.
    pub name: String,
    /// Its ranking metric on the public data, not worse than the floor.
    pub metric: f64,
    /// Its FLOPs a row, at least 0.
    pub flops_per_sample: f64,
}

/// A submission that may be in the field. Withdrawn ones are left out by the caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// Whose it is.
    pub team: &'a str,
    /// Digest of `solution.wasm`.
    pub component: Digest,
    /// Its published ranking metric.
    pub metric: f64,
    /// Its published FLOPs a row.
    pub flops_per_sample: f64,
}

/// A submission in the field, with numbers for names: from 0, without many gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vote {
    /// The same for submissions of the same team.
    pub team: usize,
    /// The same for the same `solution.wasm`.
    pub component: usize,
    /// Its published FLOPs a row.
    pub flops_per_sample: f64,
}

/// What costs are measured against: published beside the leaderboard, frozen at the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchors {
    /// FLOPs a row at the median of the field.
    pub median_flops: f64,
    /// FLOPs a row at its tenth percentile.
    pub p10_flops: f64,
    /// Members of the field: house baselines, submissions and padding.
    pub members: u64,
    /// Fewer than five teams: scores will move.
    pub provisional: bool,
}

impl Composite {
    /// Whether a metric value is not worse than the floor.
    pub fn reaches_floor(&self, metric: f64) -> bool {
        if self.best >= self.floor { metric >= self.floor } else { metric <= self.floor }
    }

    /// The anchors of the house baselines alone: a single run is scored against these.
    pub fn house_anchors(&self) -> Anchors {
        self.anchors(&[])
    }

    /// The anchors of the house baselines and `candidates`, these in the order of their submission.
    ///
    /// A team has one vote, which its submissions share. Of submissions with the same component only the first counts. With
    /// fewer than five teams, the reference cost is added until the field has five votes.
    pub fn anchors(&self, candidates: &[Candidate<'_>]) -> Anchors {
        // Nothing is in the order of these: they are only asked.
        let mut components = HashMap::with_capacity(candidates.len());
        let mut teams = HashMap::new();
        let eligible = candidates.iter().filter(|candidate| self.reaches_floor(candidate.metric));
        let numbered = eligible.map(|candidate| {
            let (component, team) = (components.len(), teams.len());
            Vote {
                component: *components.entry(candidate.component).or_insert(component),
                team: *teams.entry(candidate.team).or_insert(team),
                flops_per_sample: candidate.flops_per_sample,
            }
        });
        let votes: Vec<_> = numbered.collect();
        self.anchors_of_votes(&votes)
    }

    /// As [`anchors`](Self::anchors), of submissions that reach the floor, their teams and components numbered by the caller.
    pub fn anchors_of_votes(&self, votes: &[Vote]) -> Anchors {
        let numbers = |number: fn(&Vote) -> usize| votes.iter().map(number).max().map_or(0, |most| most + 1);
        let mut seen = vec![false; numbers(|vote| vote.component)];
        let mut submissions = vec![0_u32; numbers(|vote| vote.team)];
        let counted: Vec<_> = votes.iter().filter(|vote| !std::mem::replace(&mut seen[vote.component], true)).collect();
        for vote in &counted {
            submissions[vote.team] += 1;
        }
        let teams = submissions.iter().filter(|&&submissions| submissions > 0).count();
        let provisional = teams < FULL_FIELD;
        let padding = if provisional { FULL_FIELD.saturating_sub(self.house.len() + teams) } else { 0 };
        let house = self.house.iter().map(|baseline| (baseline.flops_per_sample, 1.0));
        let shares = counted.iter().map(|vote| (vote.flops_per_sample, 1.0 / f64::from(submissions[vote.team])));
        let padded = std::iter::repeat_n((self.reference_flops, 1.0), padding);
        let field = Field::new(house.chain(shares).chain(padded));
        Anchors {
            median_flops: libm::exp(field.quantile(0.5)),
            p10_flops: libm::exp(field.quantile(0.1)),
            members: (self.house.len() + counted.len() + padding) as u64,
            provisional,
        }
    }

    /// The score of a metric and a cost against a field: 0 below the floor, and `unclamped` is what it would have been.
    pub fn score(&self, metric: f64, flops_per_sample: f64, anchors: &Anchors) -> Score {
        self.score_at(metric, anchors.efficiency(flops_per_sample))
    }

    /// The score of a metric and an [efficiency](Anchors::efficiency), as [`score`](Self::score).
    pub fn score_at(&self, metric: f64, efficiency: f64) -> Score {
        let Weights { quality, flops, carbon } = self.weights;
        let score = quality * self.quality_of(metric) + flops * efficiency + carbon * efficiency;
        Score { value: if self.reaches_floor(metric) { score } else { 0.0 }, unclamped: Some(score) }
    }

    /// The quality of a metric value, 0 to 1.
    pub fn quality_of(&self, metric: f64) -> f64 {
        match self.quality {
            Quality::Metric => metric.clamp(0.0, 1.0),
            Quality::Skill => ((metric - self.floor) / (self.best - self.floor)).clamp(0.0, 1.0),
        }
    }
}

impl Anchors {
    /// How little `flops_per_sample` is against the field, between 0 and 1.
    pub fn efficiency(&self, flops_per_sample: f64) -> f64 {
        self.curve().at(flops_per_sample)
    }

    /// Efficiency by cost, for many costs.
    pub fn curve(&self) -> Curve {
        let (median, p10) = (logarithm(self.median_flops), logarithm(self.p10_flops));
        let (narrow, wide) = SPREAD;
        Curve { median, steepness: libm::log(19.0) / (median - p10).clamp(libm::log(narrow), libm::log(wide)) }
    }
}

/// What [`Anchors`] say of any cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// `ln m`.
    median: f64,
    /// `k`.
    steepness: f64,
}

impl Curve {
    /// How little `flops_per_sample` is against the field, between 0 and 1.
    pub fn at(&self, flops_per_sample: f64) -> f64 {
        1.0 / (1.0 + libm::exp(self.steepness * (logarithm(flops_per_sample) - self.median)))
    }
}

/// A cost below 1 FLOP, and a cost of 0 above all, counts as 1.
fn logarithm(flops: f64) -> f64 {
    libm::log(flops.max(1.0))
}

/// Costs in ascending order, each with its part of a vote.
struct Field {
    costs: Vec<(f64, f64)>,
    votes: f64,
}

impl Field {
    fn new(costs: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut costs: Vec<_> = costs.map(|(flops, vote)| (logarithm(flops), vote)).collect();
        costs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let votes = costs.iter().map(|(_, vote)| vote).sum();
        Self { costs, votes }
    }

    /// The quantile of type 7 (Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50,
    /// 1996) for votes: the mean of the costs over the window of one vote that begins after `(votes − 1) × q` of them. A vote
    /// split among equal costs leaves it as it was.
    fn quantile(&self, q: f64) -> f64 {
        let start = (self.votes - 1.0) * q;
        let (mut before, mut inside, mut sum) = (0.0, 0.0, 0.0);
        for &(cost, vote) in &self.costs {
            let after = before + vote;
            let overlap = f64::max(f64::min(after, start + 1.0) - f64::max(before, start), 0.0);
            inside += overlap;
            sum += overlap * cost;
            before = after;
        }
        // All of the window lies inside the field; rounding alone makes it differ from 1.
        sum / inside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GFLOP: f64 = 1e9;

    fn rule(house: &[f64]) -> Composite {
        let baseline = |(index, &flops_per_sample): (usize, &f64)| HouseBaseline {
            name: format!("baseline {index}"),
            metric: 0.9,
            flops_per_sample,
        };
        Composite {
            weights: Weights::default(),
            floor: 0.5,
            best: 1.0,
            quality: Quality::Metric,
            house: house.iter().enumerate().map(baseline).collect(),
            reference_flops: 5.0 * GFLOP,
        }
    }

    /// The anchors of exactly these costs.
    fn anchors(flops: &[f64]) -> Anchors {
        let field = Field::new(flops.iter().map(|&flops| (flops, 1.0)));
        Anchors {
            median_flops: libm::exp(field.quantile(0.5)),
            p10_flops: libm::exp(field.quantile(0.1)),
            members: flops.len() as u64,
            provisional: false,
        }
    }

    fn candidate<'a>(team: &'a str, component: &str, gflop: f64) -> Candidate<'a> {
        Candidate { team, component: Digest::of(component.as_bytes()), metric: 0.9, flops_per_sample: gflop * GFLOP }
    }

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} is not {expected}");
    }

    /// Form C of the table in the design's comparison of three forms, to its three digits.
    #[test]
    fn efficiencies_are_those_of_the_comparison() {
        // At the median and at the tenth percentile, whatever the field.
        let field = anchors(&[0.08, 0.3, 0.9, 2.0, 8.0, 30.0, 50.0].map(|gflop| gflop * GFLOP));
        assert_near(field.efficiency(field.median_flops), 0.5);
        assert_near(field.efficiency(field.p10_flops), 0.95);
        // A field of one, and of two.
        assert_near(anchors(&[3.6 * GFLOP]).efficiency(3.6 * GFLOP), 0.5);
        let two = anchors(&[3.6 * GFLOP, 50.0 * GFLOP]);
        assert_near(two.efficiency(3.6 * GFLOP), 0.975);
        assert_near(two.efficiency(50.0 * GFLOP), 0.025);
        // One team at 3.6 GFLOP, padded to five votes with 5 GFLOP.
        let padded = rule(&[]).anchors(&[candidate("team", "component", 3.6)]);
        assert_eq!((padded.members, padded.provisional), (5, true));
        assert_near(padded.efficiency(3.6 * GFLOP), 0.801);
        // Six copies of a starter, and one that is a tenth leaner.
        let starters = anchors(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9].map(|gflop| gflop * GFLOP));
        assert_near(starters.efficiency(GFLOP), 0.5);
        assert_near(starters.efficiency(0.9 * GFLOP), 0.610);
    }

    /// On data of which 90 % are one class, a constant answer is right 90 % of the time and costs nothing: 0.7 × 0.9 + 0.3.
    #[test]
    fn without_a_floor_a_constant_predictor_would_score_0_930() {
        let mut rule = rule(&[0.08, 0.5, 2.0, 8.0, 50.0].map(|gflop| gflop * GFLOP));
        let anchors = rule.house_anchors();
        assert_near(rule.score(0.9, 10.0, &anchors).value, 0.930);
        rule.floor = 0.91;
        let below = rule.score(0.9, 10.0, &anchors);
        assert_eq!(below.value, 0.0);
        assert_near(below.unclamped.unwrap_or_default(), 0.930);
        assert!(rule.score(0.91, 10.0, &anchors).value > 0.9);
    }

    /// The example that the score was made for: 0.910 at 2 GFLOP against 0.940 at 30 GFLOP.
    #[test]
    fn a_lean_model_may_rank_above_a_better_one() {
        let rule = rule(&[0.08, 0.5, 2.0, 8.0, 50.0].map(|gflop| gflop * GFLOP));
        let anchors = rule.house_anchors();
        let score = |metric, gflop: f64| rule.score(metric, gflop * GFLOP, &anchors).value;
        assert!(score(0.910, 2.0) > score(0.940, 30.0));
        assert!(score(0.940, 2.0) > score(0.910, 2.0));
    }

    /// Type 7 by hand: of 10, 20, 40, 80 the median is 30, the tenth percentile 10 + 0.3 × 10.
    #[test]
    fn quantiles_of_whole_votes_are_of_type_7() {
        let field = Field { costs: vec![(10.0, 1.0), (20.0, 1.0), (40.0, 1.0), (80.0, 1.0)], votes: 4.0 };
        assert_near(field.quantile(0.5), 30.0);
        assert_near(field.quantile(0.1), 13.0);
        assert_near(field.quantile(1.0), 80.0);
        assert_near(field.quantile(0.0), 10.0);
    }

    #[test]
    fn a_team_has_one_vote_and_a_component_counts_once() {
        let rule = rule(&[1.0 * GFLOP, 4.0 * GFLOP]);
        let others = [("b", 2.0), ("c", 3.0), ("d", 8.0), ("e", 16.0)];
        let field = |of_a: &[Candidate<'static>]| {
            let mut candidates = of_a.to_vec();
            candidates.extend(others.iter().map(|&(team, gflop)| candidate(team, team, gflop)));
            rule.anchors(&candidates)
        };
        let once = field(&[candidate("a", "1", 0.1)]);
        assert_eq!((once.members, once.provisional), (7, false));
        let thrice = field(&[candidate("a", "1", 0.1), candidate("a", "2", 0.1), candidate("a", "3", 0.1)]);
        assert_eq!(thrice.members, 9);
        assert!((thrice.median_flops / once.median_flops - 1.0).abs() < 1e-12);
        assert!((thrice.p10_flops / once.p10_flops - 1.0).abs() < 1e-12);
        let copied = field(&[candidate("a", "1", 0.1), candidate("z", "1", 0.1)]);
        assert_eq!(copied, once);
        let below = Candidate { metric: 0.49, ..candidate("z", "2", 0.001) };
        assert_eq!(field(&[candidate("a", "1", 0.1), below]), once);
    }

    #[test]
    fn padding_ends_with_the_fifth_team() {
        let teams = ["a", "b", "c", "d", "e"].map(|team| candidate(team, team, 1.0));
        let members: Vec<_> =
            (0..=5).map(|n| rule(&[]).anchors(&teams[..n])).map(|a| (a.members, a.provisional)).collect();
        assert_eq!(members, [(5, true), (5, true), (5, true), (5, true), (5, true), (5, false)]);
        let house = rule(&[GFLOP; 3]);
        let members: Vec<_> = (0..=3).map(|n| house.anchors(&teams[..n]).members).collect();
        assert_eq!(members, [5, 5, 5, 6]);
    }

    /// ln 2 and ln 1000 in `k`: half the median of a field of ties, and a thousandth of it in a field of extremes, give 0.95.
    #[test]
    fn the_spread_is_held_between_2_and_1000() {
        assert_near(anchors(&[GFLOP; 9]).efficiency(0.5 * GFLOP), 0.95);
        let extremes = anchors(&[0.0, 0.0, GFLOP, GFLOP, GFLOP]);
        assert_eq!(extremes.median_flops.round(), GFLOP);
        assert_near(extremes.efficiency(GFLOP / 1e3), 0.95);
        assert_eq!(extremes.efficiency(0.0), extremes.efficiency(1.0));
    }

    /// Skill: (0.9 − 0.5) / (1 − 0.5). Less is better: (0.2 − 0.8) / (0 − 0.8) = 1 − 0.2 / 0.8.
    #[test]
    fn skill_is_the_part_of_what_can_be_reached() {
        let skill = |floor, best| Composite { floor, best, quality: Quality::Skill, ..rule(&[]) };
        assert_near(skill(0.5, 1.0).quality_of(0.9), 0.8);
        assert_near(skill(0.5, 1.0).quality_of(0.4), 0.0);
        let loss = skill(0.8, 0.0);
        assert_near(loss.quality_of(0.2), 0.75);
        assert!(loss.reaches_floor(0.8) && !loss.reaches_floor(0.9));
        assert_near(rule(&[]).quality_of(-0.2), 0.0);
    }

    proptest! {
        /// Equal to the bit, however the field is gathered.
        #[test]
        fn votes_are_counted_as_defined(
            entries in proptest::collection::vec((0_usize..7, 0_u8..20, prop_oneof![Just(0.4), Just(0.9)], 1.0..1e12), 0..40),
            house in proptest::collection::vec(0.0..1e12, 0..6),
        ) {
            const TEAMS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
            let rule = rule(&house);
            let candidates: Vec<_> = entries
                .iter()
                .map(|&(team, component, metric, flops_per_sample)| Candidate {
                    team: TEAMS[team],
                    component: Digest::of(&[component]),
                    metric,
                    flops_per_sample,
                })
                .collect();
            let counts = |i: usize| {
                let first = candidates[..i].iter().all(|c| c.component != candidates[i].component || c.metric < 0.5);
                candidates[i].metric >= 0.5 && first
            };
            let eligible: Vec<_> = (0..candidates.len()).filter(|&i| counts(i)).map(|i| candidates[i]).collect();
            let of_team = |team: &str| eligible.iter().filter(|c| c.team == team).count();
            let teams = TEAMS.iter().filter(|team| of_team(team) > 0).count();
            let padding = if teams < 5 { 5_usize.saturating_sub(teams + house.len()) } else { 0 };
            let votes = eligible.iter().map(|c| (c.flops_per_sample, 1.0 / of_team(c.team) as f64));
            let field = Field::new(
                house.iter().map(|&flops| (flops, 1.0)).chain(votes).chain(vec![(rule.reference_flops, 1.0); padding]),
            );
            let expected = Anchors {
                median_flops: libm::exp(field.quantile(0.5)),
                p10_flops: libm::exp(field.quantile(0.1)),
                members: (house.len() + eligible.len() + padding) as u64,
                provisional: teams < 5,
            };
            prop_assert_eq!(rule.anchors(&candidates), expected);
        }

        #[test]
        fn less_cost_never_scores_less(house in proptest::collection::vec(0.0..1e12, 0..6), a in 0.0..1e12, b in 0.0..1e12) {
            let rule = rule(&house);
            let anchors = rule.house_anchors();
            let (less, more) = if a < b { (a, b) } else { (b, a) };
            let score = |flops| rule.score(0.9, flops, &anchors).value;
            prop_assert!(score(less) >= score(more));
            prop_assert!((0.0..=1.0).contains(&score(a)));
        }

        #[test]
        fn any_figures_score_without_panic(metric: f64, flops: f64, house: f64) {
            let rule = rule(&[house]);
            rule.score(metric, flops, &rule.house_anchors());
        }
    }
}
