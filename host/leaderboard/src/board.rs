//! From rows to a board.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use thimble_challenge::Challenge;
use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::{Anchors, Composite, Curve, HouseBaseline, Vote};
use thimble_challenge::ranking::{Entry, Figures, Key, Order};
use thimble_datasets::Digest;

use crate::computed::{Computed, HouseStanding, Standing, Unranked};
use crate::frontier::{Frontier, Plane};
use crate::row::{Class, Row};

/// The board of one challenge. It grows with results, and [`compute`](Self::compute) makes all of it anew from their
/// published figures: what an earlier board said has no influence.
#[derive(Debug, Clone)]
pub struct Board {
    challenge: Arc<Challenge>,
    order: Order,
    frozen: Option<Anchors>,
    version: u64,
    members: Vec<Member>,
    /// Where the row of a key stands among the members.
    places: BTreeMap<u64, usize>,
    builders: Numbers<Arc<str>>,
    teams: Numbers<Arc<str>>,
    components: Numbers<Digest>,
}

/// A row, and what of it never changes.
#[derive(Debug, Clone)]
struct Member {
    row: Arc<Row>,
    builder: usize,
    team: usize,
    component: usize,
    figures: Figures,
    class: Class,
}

/// Numbers for names, from 0 in the order of their coming. Only asked, never listed: their order has no influence.
#[derive(Debug, Clone)]
struct Numbers<T>(HashMap<T, usize>);

impl<T: Eq + Hash> Numbers<T> {
    fn of(&mut self, name: T) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

/// What a builder has.
#[derive(Debug, Clone, Copy, Default)]
struct Builder {
    best: Option<Contender>,
    submissions: u64,
}

/// A shown result. The better one is less; of full ties the one that was submitted earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Contender {
    /// Any ranked result is better than one that is not.
    unranked: bool,
    key: Key,
    /// Its place in the order of submission.
    place: usize,
}

/// The score rule, with the anchors where it has some.
#[derive(Debug, Clone, Copy)]
enum Scale<'a> {
    Published,
    Composite(&'a Composite, Curve),
}

/// The figures of a row by a scale.
#[derive(Debug, Clone, Copy)]
struct Scored {
    figures: Figures,
    quality: Option<f64>,
    efficiency: Option<f64>,
}

impl Board {
    /// A board without results. `frozen` are the anchors of a challenge whose deadline has passed.
    pub fn new(challenge: Arc<Challenge>, frozen: Option<Anchors>) -> Self {
        Self {
            order: Order::of(&challenge),
            challenge,
            frozen,
            version: 0,
            members: Vec::new(),
            places: BTreeMap::new(),
            builders: Numbers(HashMap::new()),
            teams: Numbers(HashMap::new()),
            components: Numbers(HashMap::new()),
        }
    }

    /// Adds rows. One with the key of an earlier row takes its place: a rescored or withdrawn result.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            self.version = self.version.max(row.key);
            let entry = Entry { published: &row.published, submitted_ms: row.submitted_ms };
            let figures = Figures::of(&self.challenge, &entry);
            let (place, next) = (*self.places.entry(row.key).or_insert(self.members.len()), self.members.len());
            let member = Member {
                builder: self.builders.of(row.builder.clone()),
                team: self.teams.of(row.team.clone()),
                component: self.components.of(row.component),
                figures,
                class: Class::of(&self.challenge, &row, &figures),
                row: Arc::new(row),
            };
            if place == next {
                self.members.push(member);
            } else {
                self.members[place] = member;
            }
        }
    }

    /// From now on composite scores are against `anchors`, whatever is added. Other score rules have none.
    pub const fn freeze(&mut self, anchors: Anchors) {
        self.frozen = Some(anchors);
    }

    /// Raises the version to `version`: for changes that bring no new key, which the caller counts.
    pub fn advance(&mut self, version: u64) {
        self.version = self.version.max(version);
    }

    /// What it is the board of.
    pub const fn challenge(&self) -> &Arc<Challenge> {
        &self.challenge
    }

    /// The row of a key.
    pub fn row(&self, key: u64) -> Option<&Arc<Row>> {
        self.places.get(&key).map(|&place| &self.members[place].row)
    }

    /// Every row, in the order of publication.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.places.values().map(|&place| &self.members[place].row)
    }

    /// All that the board shows, in O(n log n).
    pub fn compute(&self) -> Computed {
        let shown = self.shown();
        let composite = match &self.challenge.score {
            ScoreRule::Composite(composite) => Some(composite),
            ScoreRule::LinearAboveBaseline { .. } | ScoreRule::Metric => None,
        };
        let anchors = composite.map(|composite| self.frozen.unwrap_or_else(|| live(composite, &shown)));
        let field = composite.zip(anchors);
        let scale = field.map_or(Scale::Published, |(composite, anchors)| Scale::Composite(composite, anchors.curve()));
        let (ranked, unranked) = self.best(&shown, scale);
        let in_field = shown.iter().filter(|member| member.class == Class::Ranked);
        let frontier = Frontier::of(Plane::of(&self.challenge), in_field.map(|member| (&member.figures, &member.row)));
        let standings = standings(&ranked, &shown, scale, &frontier);
        Computed {
            version: self.version,
            anchors,
            frozen: anchors.is_some() && self.frozen.is_some(),
            unranked: unranked.iter().filter_map(|best| below(best, &shown, scale)).collect(),
            house: field.map_or_else(Vec::new, |(composite, anchors)| self.house(composite, &anchors, &standings)),
            frontier: frontier.members().map(|row| row.key).collect(),
            frontier_rows: frontier.members().cloned().collect(),
            standings,
            challenge: self.challenge.clone(),
        }
    }

    /// What is shown, in the order of submission, and of one millisecond in that of publication.
    fn shown(&self) -> Vec<&Member> {
        let mut shown: Vec<_> = self.members.iter().filter(|member| member.class != Class::Hidden).collect();
        shown.sort_by(|a, b| {
            let by_time = a.figures.submitted_ms.cmp(&b.figures.submitted_ms);
            by_time.then_with(|| a.row.key.cmp(&b.row.key))
        });
        shown
    }

    /// The best result of each builder, sorted, with the number of all of the builder's: those ranked, and the others.
    fn best(&self, shown: &[&Member], scale: Scale<'_>) -> (Vec<Best>, Vec<Best>) {
        let mut builders = vec![Builder::default(); self.builders.0.len()];
        for member in &self.members {
            builders[member.builder].submissions += 1;
        }
        for (place, member) in shown.iter().enumerate() {
            let key = self.order.key(&scale.scored(member).figures);
            let contender = Contender { unranked: member.class != Class::Ranked, key, place };
            let best = &mut builders[member.builder].best;
            *best = Some(best.map_or(contender, |best| best.min(contender)));
        }
        let all = builders.iter().filter_map(|builder| Some((builder.best?, builder.submissions)));
        let mut ranked: Vec<_> = all.collect();
        ranked.sort_unstable();
        let unranked = ranked.split_off(ranked.partition_point(|(best, _)| !best.unranked));
        (ranked, unranked)
    }

    fn house(&self, composite: &Composite, anchors: &Anchors, standings: &[Standing]) -> Vec<HouseStanding> {
        let curve = anchors.curve();
        let standing = |baseline: &HouseBaseline| {
            let efficiency = curve.at(baseline.flops_per_sample);
            let score = composite.score_at(baseline.metric, efficiency).value;
            HouseStanding {
                name: baseline.name.clone(),
                metric: baseline.metric,
                flops_per_sample: baseline.flops_per_sample,
                gco2e_per_sample: self.challenge.carbon.grams(baseline.flops_per_sample),
                score,
                quality: composite.quality_of(baseline.metric),
                efficiency,
                after: standings.partition_point(|standing| standing.score >= score),
            }
        };
        let mut house: Vec<_> = composite.house.iter().map(standing).collect();
        house.sort_by(|a, b| b.score.total_cmp(&a.score));
        house
    }
}

/// A builder's best, and how many results the builder has.
type Best = (Contender, u64);

impl Scale<'_> {
    fn scored(self, member: &Member) -> Scored {
        let figures = member.figures;
        let Self::Composite(composite, curve) = self else {
            return Scored { figures, quality: None, efficiency: None };
        };
        let efficiency = figures.flops_per_sample.map(|flops| curve.at(flops));
        let score = figures.metric.zip(efficiency).map(|(metric, at)| composite.score_at(metric, at).value);
        let quality = figures.metric.map(|metric| composite.quality_of(metric));
        Scored { figures: Figures { score, ..figures }, quality, efficiency }
    }
}

/// The anchors of the field as it is.
fn live(composite: &Composite, shown: &[&Member]) -> Anchors {
    let vote = |member: &&Member| {
        let Member { team, component, figures, .. } = **member;
        Some(Vote { team, component, flops_per_sample: figures.flops_per_sample? })
    };
    let ranked = shown.iter().filter(|member| member.class == Class::Ranked);
    composite.anchors_of_votes(&ranked.filter_map(vote).collect::<Vec<_>>())
}

fn standings(ranked: &[Best], shown: &[&Member], scale: Scale<'_>, frontier: &Frontier<'_>) -> Vec<Standing> {
    let mut above: Option<(Key, u64)> = None;
    let standings = ranked.iter().zip(1..).map(|((best, submissions), position)| {
        let rank = above.filter(|(key, _)| *key == best.key).map_or(position, |(_, rank)| rank);
        above = Some((best.key, rank));
        let member = shown[best.place];
        let Scored { figures, quality, efficiency } = scale.scored(member);
        let point = frontier.point(&figures);
        let dominated_by = point.and_then(|point| frontier.dominator(&point)).map(|row| row.key);
        Standing {
            key: member.row.key,
            rank,
            // What is ranked has a score.
            score: figures.score.unwrap_or(0.0),
            quality,
            efficiency,
            on_frontier: point.is_some() && dominated_by.is_none(),
            dominated_by,
            submissions: *submissions,
            row: member.row.clone(),
        }
    });
    standings.collect()
}

fn below((best, submissions): &Best, shown: &[&Member], scale: Scale<'_>) -> Option<Unranked> {
    let member = shown[best.place];
    let Class::Unranked(reason) = member.class else { return None };
    let score = scale.scored(member).figures.score;
    Some(Unranked { key: member.row.key, reason, score, submissions: *submissions, row: member.row.clone() })
}
