//! Metrics of time-to-event prediction.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::pointwise;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::value::MetricValue;

/// Risks that differ by at most this are tied.
const RISK_TOLERANCE: f64 = 1e-8;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalTruth<'a> {
    /// When each row had the event, or was last seen; above 0.
    pub times: &'a [f64],
    /// Whether the row had the event (1) or was censored (0).
    pub events: &'a [i64],
    /// The horizon of F1, above 0: an event until then is a positive.
    pub horizon: f64,
    /// F1: the share of events until the horizon among the training rows whose state at the horizon is known, 0 to 1. As
    /// large a share of the rows whose state is known, those with the largest risks, are predicted positives.
    pub prevalence: f64,
}

impl SurvivalTruth<'_> {
    /// Whether each row had the event until the horizon; none of a row that was censored until then, whose state is unknown.
    fn states(&self) -> impl Iterator<Item = Option<bool>> + '_ {
        self.times.iter().zip(self.events).map(|(&time, &event)| match time <= self.horizon {
            true => (event == 1).then_some(true),
            false => Some(false),
        })
    }

    /// Number of rows that F1 leaves out because they were censored until the horizon.
    pub fn unknown_rows(&self) -> usize {
        self.states().filter(Option::is_none).count()
    }
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalInputs<'a> {
    /// The truth.
    pub truth: SurvivalTruth<'a>,
    /// One risk a row, finite: the larger, the earlier the event.
    pub risks: &'a [f64],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Survival;

impl Family for Survival {
    type Truth<'a> = SurvivalTruth<'a>;
    type Inputs<'a> = SurvivalInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[F1, C_INDEX];

    fn check_truth(truth: &SurvivalTruth<'_>) -> Result<(), InputError> {
        let SurvivalTruth { times, events, horizon, prevalence } = *truth;
        if !(horizon.is_finite() && horizon > 0.0) {
            let reason = format!("is {horizon}, it must be finite and above 0");
            return Err(InputError::Setting { name: "horizon", reason });
        }
        if !(0.0..=1.0).contains(&prevalence) {
            return Err(InputError::Setting {
                name: "prevalence",
                reason: format!("is {prevalence}, a share is 0 to 1"),
            });
        }
        if events.len() != times.len() {
            return Err(InputError::Length { what: "events", expected: times.len(), found: events.len() });
        }
        for (row, (time, event)) in times.iter().zip(events).enumerate() {
            if !(time.is_finite() && *time > 0.0) {
                return Err(InputError::Truth {
                    row,
                    reason: format!("the time is {time}, it must be finite and above 0"),
                });
            }
            if !(0..=1).contains(event) {
                return Err(InputError::Truth { row, reason: format!("the event is {event}, it must be 0 or 1") });
            }
        }
        Ok(())
    }

    fn check(inputs: &SurvivalInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        let error = |row, reason| InputError::Prediction { row, reason };
        pointwise::finite("risks", inputs.risks, inputs.truth.times.len(), error)
    }
}

const F1: Entry<Survival> = Entry {
    metric: Metric {
        name: "f1",
        label: "F1 score",
        description: "F1 of who has the event until the horizon, the largest risks being predicted to.",
        direction: Direction::HigherIsBetter,
        ranks_by_magnitude: false,
        range: Range::SHARE,
        unit: Unit::Share,
        reads: Reads::Everything,
        formula: "2·TP / (2·TP + FP + FN) over the m rows whose state at the horizon is known; predicted positive is a risk of at \
                  least the k-th largest of theirs, k = prevalence·m rounded, halves up",
        edge_cases: "an event at the horizon is until it; a row censored until the horizon is left out; risks equal to the k-th largest \
                     are all positive, and none is if k is 0",
        undefined_when: "no row has the event until the horizon",
        reference: "scikit-learn 1.9.1, f1_score of the two states at a landmark: F1 needs a label, which censoring denies to some rows; \
                    risks have no scale, so as many are positive as the training rows' prevalence says",
    },
    compute: |inputs, _| f1(inputs),
    degenerate: |truth, _| one_state(truth),
};

const C_INDEX: Entry<Survival> = Entry {
    metric: Metric {
        name: "c_index",
        label: "Concordance index (C-index)",
        description: "The probability that of two rows the one with the larger risk has the event earlier.",
        unit: Unit::None,
        formula: "(concordant + ½·tied) / comparable; a pair is comparable if the one with the event is earlier, or censoring of the \
                  other follows at the same time",
        edge_cases: "two events at the same time are not comparable; risks within 10⁻⁸ of each other are tied",
        undefined_when: "no pair of rows is comparable",
        reference: "scikit-survival 0.28.0, concordance_index_censored (Harrell), equal to concordance_index of lifelines 0.30.3",
        ..F1.metric
    },
    compute: |inputs, _| c_index(inputs),
    degenerate: |truth, _| (comparable_pairs(truth) == 0).then(|| NO_PAIR.into()),
};

const NO_PAIR: &str = "no pair of rows is comparable: no event comes before another row's time";

/// Why F1 says nothing.
fn one_state(truth: &SurvivalTruth<'_>) -> Option<String> {
    let horizon = truth.horizon;
    no_event(truth).or_else(|| {
        let negative = truth.states().any(|state| state == Some(false));
        (!negative).then(|| format!("no row is known to be without the event at the horizon, {horizon}"))
    })
}

fn no_event(truth: &SurvivalTruth<'_>) -> Option<String> {
    let positive = truth.states().any(|state| state == Some(true));
    (!positive).then(|| format!("no row has the event until the horizon, {}", truth.horizon))
}

fn f1(inputs: &SurvivalInputs<'_>) -> MetricValue {
    if let Some(reason) = no_event(&inputs.truth) {
        return MetricValue::Undefined(reason);
    }
    let rows = || inputs.truth.states().zip(inputs.risks).filter_map(|(state, &risk)| Some((state?, risk)));
    let mut risks: Vec<_> = rows().map(|(_, risk)| risk).collect();
    let count = libm::round(inputs.truth.prevalence * risks.len() as f64) as usize;
    let threshold = match count.checked_sub(1) {
        // No risk is larger than an infinite one.
        None => f64::INFINITY,
        Some(index) => *risks.select_nth_unstable_by(index, |a, b| b.total_cmp(a)).1,
    };
    let (mut hits, mut wrong) = (0_u64, 0_u64);
    for (state, risk) in rows() {
        match (state, risk >= threshold) {
            (true, true) => hits += 1,
            (false, false) => {}
            _ => wrong += 1,
        }
    }
    MetricValue::of((2 * hits) as f64 / (2 * hits + wrong) as f64)
}

/// The rows by falling time, in runs of equal time; in a run those that were censored come first.
fn falling_times(truth: &SurvivalTruth<'_>) -> Vec<usize> {
    let mut order: Vec<_> = (0..truth.times.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        truth.times[b].total_cmp(&truth.times[a]).then(truth.events[a].cmp(&truth.events[b])).then(a.cmp(&b))
    });
    order
}

/// Goes through the rows so that each row with the event comes after exactly those that it is comparable with: rows of a
/// later time, and rows censored at the same time.
fn walk(truth: &SurvivalTruth<'_>, mut step: impl FnMut(Step)) {
    for run in falling_times(truth).chunk_by(|&a, &b| truth.times[a] == truth.times[b]) {
        let censored = run.partition_point(|&row| truth.events[row] == 0);
        let (censored, events) = run.split_at(censored);
        censored.iter().for_each(|&row| step(Step::Later(row)));
        events.iter().for_each(|&row| step(Step::Event(row)));
        events.iter().for_each(|&row| step(Step::Later(row)));
    }
}

/// What `walk` meets, in its order.
enum Step {
    /// A row that is later than all events still to come.
    Later(usize),
    /// A row with the event, comparable with all rows that were `Later` so far.
    Event(usize),
}

fn comparable_pairs(truth: &SurvivalTruth<'_>) -> u128 {
    let (mut later, mut pairs) = (0_u64, 0_u128);
    walk(truth, |step| match step {
        Step::Later(_) => later += 1,
        Step::Event(_) => pairs += u128::from(later),
    });
    pairs
}

fn c_index(inputs: &SurvivalInputs<'_>) -> MetricValue {
    let mut sorted = inputs.risks.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut later = Ranks::new(sorted.len());
    // Twice the concordant pairs and the tied ones, so that half a pair is a whole number.
    let (mut won, mut pairs) = (0_u128, 0_u128);
    walk(&inputs.truth, |step| match step {
        Step::Later(row) => later.add(sorted.partition_point(|risk| risk.total_cmp(&inputs.risks[row]).is_lt())),
        Step::Event(row) => {
            let risk = inputs.risks[row];
            let smaller = later.below(sorted.partition_point(|other| other - risk < -RISK_TOLERANCE));
            let at_most = later.below(sorted.partition_point(|other| other - risk <= RISK_TOLERANCE));
            won += u128::from(smaller) + u128::from(at_most);
            pairs += u128::from(later.count);
        }
    });
    if pairs == 0 {
        return MetricValue::Undefined(NO_PAIR.into());
    }
    MetricValue::of(won as f64 / (2 * pairs) as f64)
}

/// How many of the ranks given so far are below another one: a Fenwick tree, so that both take the logarithm of the rows.
struct Ranks {
    tree: Vec<u64>,
    count: u64,
}

impl Ranks {
    fn new(ranks: usize) -> Self {
        Self { tree: vec![0; ranks + 1], count: 0 }
    }

    fn add(&mut self, rank: usize) {
        self.count += 1;
        let mut node = rank + 1;
        while let Some(count) = self.tree.get_mut(node) {
            *count += 1;
            node += node & node.wrapping_neg();
        }
    }

    fn below(&self, rank: usize) -> u64 {
        let (mut node, mut count) = (rank, 0);
        while node > 0 {
            count += self.tree[node];
            node &= node - 1;
        }
        count
    }
}
