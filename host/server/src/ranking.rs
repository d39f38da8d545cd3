//! What is shown of a board: rows in parts, points of the plot, distributions, neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thimble_api::AccountName;
use thimble_api::challenge::{MetricView, Stage};
use thimble_api::leaderboard::{
    Bin, Distribution, FrontierPoint, Leaderboard, Quantile, RankingContext, Row, Unranked, UnrankedReason, Who,
};
use thimble_challenge::Published;
use thimble_challenge::result::Outcome;
use thimble_leaderboard::{self as computed, Board, Column, Computed, HouseStanding, QUANTILES, Reason, Standing};
use thimble_metrics::MetricValue;

use crate::board::Snapshot;
use crate::failure::{Failure, Result};

/// Points of a plot at most.
pub(crate) const MOST_POINTS: usize = 2_000;
/// Results without a rank that are listed.
const MOST_UNRANKED: usize = 100;

/// Results that can be plotted and stand nowhere else on the board: newest first, at most [`MOST_POINTS`]; and how many.
pub(crate) fn others(board: &Board, computed: &Computed) -> (Vec<Arc<computed::Row>>, usize) {
    let metric = &computed.challenge().ranking.metric;
    let known: BTreeSet<u64> = computed
        .standings
        .iter()
        .map(|standing| standing.key)
        .chain(computed.unranked.iter().map(|unranked| unranked.key))
        .chain(computed.frontier.iter().copied())
        .collect();
    let plotted = |row: &&Arc<computed::Row>| {
        !row.withdrawn
            && row.published.outcome == Outcome::Scored
            && point_of(&row.published, metric).is_some()
            && !known.contains(&row.key)
    };
    let mut rows: Vec<_> = board.rows().filter(plotted).cloned().collect();
    let in_all = rows.len();
    rows.reverse();
    rows.truncate(MOST_POINTS);
    (rows, in_all)
}

/// Metric and FLOPs of a result.
fn point_of(published: &Published, metric: &str) -> Option<(f64, f64)> {
    published.metrics.get(metric).and_then(MetricValue::value).zip(published.flops_per_sample)
}

fn builder_of(row: &computed::Row) -> Result<AccountName> {
    row.builder.parse().map_err(Failure::internal)
}

impl Snapshot {
    fn who(&self, row: &computed::Row) -> Result<Who> {
        Ok(Who::Builder {
            builder: builder_of(row)?,
            team: row.team.parse().map_err(Failure::internal)?,
            submission: self.submission(row).ok_or_else(|| Failure::internal("a row without a submission"))?,
        })
    }

    /// Whether it has the figures that the close brought; an earlier version of a closed board does not.
    fn is_final(&self) -> bool {
        self.challenge.closed_at.is_some_and(|closed| self.changed_at.is_none_or(|changed| changed >= closed))
    }

    /// Whether a builder has a result on the board.
    pub(crate) fn has(&self, builder: &AccountName) -> bool {
        let builder = builder.as_str();
        self.computed.standings.iter().any(|standing| &*standing.row.builder == builder)
            || self.computed.unranked.iter().any(|unranked| &*unranked.row.builder == builder)
    }

    /// The part of the board that begins at row `first`. Points of `own` are marked.
    pub(crate) fn leaderboard(&self, first: u64, limit: u32, own: Option<&AccountName>) -> Result<Leaderboard> {
        let computed = &self.computed;
        let total = (computed.standings.len() + computed.house.len()) as u64;
        let rows = self.rows(first, limit)?;
        let end = first + rows.len() as u64;
        let (points, points_left_out) = self.points(own)?;
        let published = self.challenge.published.as_ref().ok_or_else(Failure::not_found)?;
        Ok(Leaderboard {
            challenge: self.challenge.name.clone(),
            version: self.version,
            changed_at: self.changed_at,
            metrics: published.challenge.metrics().map(MetricView::from).collect(),
            anchors: computed.anchors,
            frozen: self.challenge.stage == Stage::Closed,
            practice: published.challenge.practice,
            shown_share: published.challenge.release.shown_share.filter(|_| !self.is_final()),
            rows,
            first,
            total,
            next: (end < total).then(|| end.to_string()),
            frontier: self.frontier(own)?,
            points,
            points_left_out,
            unranked: self.unranked()?,
        })
    }

    /// Rows from `first` on: standings with the house baselines among them.
    fn rows(&self, first: u64, limit: u32) -> Result<Vec<Row>> {
        let (standings, house) = (&self.computed.standings, &self.computed.house);
        let mut rows = Vec::new();
        // A baseline is shown behind `after` standings, and so at that place among them, after the baselines before it.
        let place = |i: usize, baseline: &HouseStanding| baseline.after + i;
        let (mut at, end) = (first as usize, first.saturating_add(limit.into()) as usize);
        while at < end {
            let before = house.iter().enumerate().take_while(|(i, baseline)| place(*i, baseline) < at).count();
            match house.get(before).filter(|baseline| place(before, baseline) == at) {
                Some(baseline) => rows.push(self.house_row(baseline)),
                None => match standings.get(at - before) {
                    Some(standing) => rows.push(self.row(standing)?),
                    None => break,
                },
            }
            at += 1;
        }
        Ok(rows)
    }

    fn row(&self, standing: &Standing) -> Result<Row> {
        let published = &standing.row.published;
        let dominator =
            standing.dominated_by.and_then(|key| self.computed.frontier_rows().iter().find(|row| row.key == key));
        Ok(Row {
            rank: Some(standing.rank),
            who: self.who(&standing.row)?,
            score: standing.score,
            metrics: published.metrics.clone(),
            flops_per_sample: published.flops_per_sample,
            gco2e_per_sample: published.gco2e_per_sample,
            efficiency: standing.efficiency,
            parameters: published.parameters.map(|count| count.0),
            component_bytes: published.component_bytes,
            on_frontier: standing.on_frontier,
            dominated_by: dominator.map(|row| builder_of(row)).transpose()?,
            submissions: standing.submissions,
            submitted_at: Some(thimble_api::Timestamp::from_millis(standing.row.submitted_ms as i64)),
        })
    }

    fn house_row(&self, baseline: &HouseStanding) -> Row {
        let metric = self.computed.challenge().ranking.metric.clone();
        Row {
            rank: None,
            who: Who::House { name: baseline.name.clone() },
            score: baseline.score,
            metrics: BTreeMap::from([(metric, MetricValue::Value(baseline.metric))]),
            flops_per_sample: Some(baseline.flops_per_sample),
            gco2e_per_sample: Some(baseline.gco2e_per_sample),
            efficiency: Some(baseline.efficiency),
            parameters: None,
            component_bytes: None,
            on_frontier: false,
            dominated_by: None,
            submissions: 0,
            submitted_at: None,
        }
    }

    fn point(
        &self,
        row: &computed::Row,
        on_frontier: bool,
        own: Option<&AccountName>,
    ) -> Result<Option<FrontierPoint>> {
        let Some((metric, flops_per_sample)) = point_of(&row.published, &self.computed.challenge().ranking.metric)
        else {
            return Ok(None);
        };
        let own = own.is_some_and(|own| *row.builder == *own.as_str());
        Ok(Some(FrontierPoint { who: self.who(row)?, metric, flops_per_sample, on_frontier, own }))
    }

    fn frontier(&self, own: Option<&AccountName>) -> Result<Vec<FrontierPoint>> {
        let rows = self.computed.frontier_rows().iter().take(MOST_POINTS);
        rows.filter_map(|row| self.point(row, true, own).transpose()).collect()
    }

    /// The points of the plot, and how many were left out: the frontier's, the own, the best of each builder, then others.
    fn points(&self, own: Option<&AccountName>) -> Result<(Vec<FrontierPoint>, u64)> {
        let computed = &self.computed;
        let on_frontier: BTreeSet<u64> = computed.frontier.iter().copied().collect();
        let is_own = |row: &computed::Row| own.is_some_and(|own| *row.builder == *own.as_str());
        let best =
            || computed.standings.iter().map(|standing| &standing.row).filter(|row| !on_frontier.contains(&row.key));
        let mine = best().filter(|row| is_own(row)).chain(self.others.iter().filter(|row| is_own(row)));
        let rest = best().filter(|row| !is_own(row)).chain(self.others.iter().filter(|row| !is_own(row)));
        let mut points = Vec::new();
        let rows = computed.frontier_rows().iter().map(|row| (row, true));
        for (row, frontier) in rows.chain(mine.chain(rest).map(|row| (row, false))) {
            if points.len() == MOST_POINTS {
                break;
            }
            points.extend(self.point(row, frontier, own)?);
        }
        let all = computed.frontier.len() + best().count() + self.others_in_all;
        let left_out = all.saturating_sub(points.len()) as u64;
        Ok((points, left_out))
    }

    fn unranked(&self) -> Result<Vec<Unranked>> {
        let metric = &self.computed.challenge().ranking.metric;
        let unranked = self.computed.unranked.iter().take(MOST_UNRANKED).map(|unranked| {
            let published = &unranked.row.published;
            Ok(Unranked {
                who: self.who(&unranked.row)?,
                metric: published.metrics.get(metric).and_then(MetricValue::value),
                flops_per_sample: published.flops_per_sample,
                reason: match unranked.reason {
                    Reason::Undefined => UnrankedReason::Undefined,
                    Reason::Transductive => UnrankedReason::Transductive,
                    Reason::BelowFloor => UnrankedReason::BelowFloor,
                },
            })
        });
        unranked.collect()
    }

    /// How a column is spread over the best results of all builders.
    pub(crate) fn distribution(&self, column: &Column) -> Distribution {
        let found = self.computed.distribution(column);
        let (mut quantiles, mut histogram) = (Vec::new(), Vec::new());
        if let Some(found) = &found {
            quantiles = QUANTILES.iter().zip(found.quantiles).map(|(&q, value)| Quantile { q, value }).collect();
            let bin = |bucket: &computed::Bucket| Bin { from: bucket.low, to: bucket.high, count: bucket.count as u64 };
            histogram = found.histogram.iter().map(bin).collect();
        }
        Distribution {
            challenge: self.challenge.name.clone(),
            figure: column.name().to_owned(),
            count: found.as_ref().map_or(0, |found| found.count as u64),
            min: found.as_ref().map(|found| found.min),
            max: found.as_ref().map(|found| found.max),
            mean: found.as_ref().map(|found| found.mean),
            quantiles,
            histogram,
        }
    }

    /// A builder among their neighbours.
    pub(crate) fn context(&self, builder: &AccountName) -> Result<RankingContext> {
        let Some(context) = self.computed.context(builder.as_str()) else {
            let of = self.computed.standings.len() as u64;
            return Ok(RankingContext { rank: None, of, percentile: None, rows: Vec::new() });
        };
        let standings = context.before.iter().chain([context.standing]).chain(context.behind);
        Ok(RankingContext {
            rank: Some(context.standing.rank),
            of: context.of as u64,
            percentile: Some(context.percentile),
            rows: standings.map(|standing| self.row(standing)).collect::<Result<_>>()?,
        })
    }
}

/// Where a part begins: what an earlier part gave as `next`.
pub(crate) fn first(after: Option<&str>) -> Result<u64> {
    let Some(after) = after else { return Ok(0) };
    let first = after.parse::<u64>().ok().filter(|first| first.to_string() == after && *first < 1 << 32);
    first.ok_or_else(|| {
        let message = "after is not the `next` of another part of this list";
        Failure::new(thimble_api::ErrorCode::BadRequest, message)
    })
}

/// How many items are asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32> {
    use thimble_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        limit => {
            let message = format!("limit is {limit} and must be 1 to {MAX_LIMIT}");
            Err(Failure::new(thimble_api::ErrorCode::BadRequest, message))
        }
    }
}
