//! The accuracy-efficiency frontier as a plot: complete without a script, which only names points where they are
//! pointed at.

use maud::{Markup, html};
use thimble_api::challenge::{Better, MetricView};
use thimble_api::leaderboard::{FrontierPoint, Leaderboard, Who};

use crate::layout::short;
use crate::scale::{Linear, Log};
use crate::text::{self, direction, plain};
use crate::viewer::Viewer;

/// Size of the plot in its own units, pixels on a wide page.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 430.0;
/// Where the axes are.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 374.0;
/// Room of a letter of a name, and of a line of them.
const LETTER: (f64, f64) = (6.6, 14.0);

/// The plot of a board, and what its marks mean; none where there is nothing to plot.
pub(crate) fn plot(viewer: &Viewer, board: &Leaderboard, decimals: u32) -> Option<Markup> {
    let metric = board.metrics.first()?;
    let plot = Plot::new(viewer, board, metric, decimals)?;
    let (sign, meaning) = direction(metric.better);
    Some(html! {
        figure.frontier {
            div.scroll tabindex="0" role="region" aria-label="Plot of the frontier" {
                svg.frontier viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group" aria-labelledby="plot-title" {
                    title id="plot-title" { (plain(&metric.title)) " against FLOPs per sample" }
                    (plot.axes(sign, meaning))
                    (plot.marks())
                }
            }
            figcaption {
                ul.legend {
                    li { span.key.line {} "frontier: nothing is better for as few FLOPs" }
                    li { span.key.dot {} "on it" }
                    li { span.key.dim {} "dominated" }
                    @if board.points.iter().any(|point| matches!(point.who, Who::House { .. })) {
                        li { span.key.house {} "house baseline" }
                    }
                    @if board.points.iter().any(|point| plot.is_own(point)) { li { span.key.own {} "yours" } }
                }
                @if board.points_left_out > 0 {
                    p.quiet {
                        (text::count(board.points_left_out, "dominated result is", "dominated results are"))
                        " not drawn."
                    }
                }
            }
        }
    })
}

struct Plot<'a> {
    viewer: &'a Viewer,
    board: &'a Leaderboard,
    metric: &'a MetricView,
    decimals: u32,
    x: Log,
    y: Linear,
}

/// What a mark looks like, in the order in which they are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dominated,
    House,
    Frontier,
    Own,
}

impl<'a> Plot<'a> {
    fn new(viewer: &'a Viewer, board: &'a Leaderboard, metric: &'a MetricView, decimals: u32) -> Option<Self> {
        let shown = || board.points.iter().chain(&board.frontier).filter(|point| is_finite(point));
        let x = Log::over(shown().map(|point| point.flops_per_sample), LEFT, RIGHT)?;
        let y = Linear::over(shown().map(|point| point.metric), BOTTOM, TOP)?;
        Some(Self { viewer, board, metric, decimals, x, y })
    }

    fn axes(&self, sign: &str, meaning: &str) -> Markup {
        let corner = match self.metric.better {
            Better::Higher => Some(("better ↖", TOP + 14.0)),
            Better::Lower => Some(("better ↙", BOTTOM - 8.0)),
            Better::NearerToZero => None,
        };
        html! {
            g.axes {
                @for (value, label) in self.y.ticks() {
                    @let y = short(self.y.at(value));
                    path d={ "M" (LEFT) " " (y) "H" (RIGHT) } {}
                    text x=(LEFT - 8.0) y=(short(self.y.at(value) + 4.0)) text-anchor="end" { (label) }
                }
                @for (value, label) in self.x.ticks() {
                    @let x = short(self.x.at(value));
                    path d={ "M" (x) " " (TOP) "V" (BOTTOM) } {}
                    text x=(x) y=(BOTTOM + 19.0) text-anchor="middle" { (label) }
                }
                text.name x=((LEFT + RIGHT) / 2.0) y=(BOTTOM + 42.0) text-anchor="middle" {
                    "FLOPs per sample, logarithmic · ↓ lower is better"
                }
                text.name transform={ "translate(16 " ((TOP + BOTTOM) / 2.0) ") rotate(-90)" } text-anchor="middle" {
                    (plain(&self.metric.title)) " · " (sign) " " (meaning)
                }
                @if let Some((words, y)) = corner { text.corner x=(LEFT + 8.0) y=(y) { (words) } }
            }
        }
    }

    /// What nobody beats for as few FLOPs: level until the next member is better.
    fn line(&self) -> String {
        let mut path = String::new();
        for point in self.board.frontier.iter().filter(|point| is_finite(point)) {
            let (x, y) = (short(self.x.at(point.flops_per_sample)), short(self.y.at(point.metric)));
            path += &if path.is_empty() { format!("M{x} {y}") } else { format!("H{x}V{y}") };
        }
        if !path.is_empty() {
            path += &format!("H{RIGHT}");
        }
        path
    }

    fn marks(&self) -> Markup {
        let of = |kind: Kind| self.board.points.iter().filter(move |p| is_finite(p) && self.kind(p) == kind);
        html! {
            g.marks.dim { @for point in of(Kind::Dominated) { (self.mark(point, Kind::Dominated)) } }
            path.line d=(self.line()) {}
            g.marks.house { @for point in of(Kind::House) { (self.mark(point, Kind::House)) } }
            g.marks.top { @for point in of(Kind::Frontier) { (self.linked(point, Kind::Frontier)) } }
            g.marks.own { @for point in of(Kind::Own) { (self.linked(point, Kind::Own)) } }
            g.labels aria-hidden="true" {
                @for label in self.labels() { text x=(short(label.left)) y=(short(label.y)) { (label.name) } }
            }
        }
    }

    fn kind(&self, point: &FrontierPoint) -> Kind {
        match point.who {
            _ if self.is_own(point) => Kind::Own,
            Who::House { .. } => Kind::House,
            Who::Builder { .. } if point.on_frontier => Kind::Frontier,
            Who::Builder { .. } => Kind::Dominated,
        }
    }

    fn is_own(&self, point: &FrontierPoint) -> bool {
        point.own || matches!(&point.who, Who::Builder { builder, .. } if self.viewer.is(builder))
    }

    fn linked(&self, point: &FrontierPoint, kind: Kind) -> Markup {
        match &point.who {
            Who::Builder { submission, .. } => {
                html! { a href={ "/submissions/" (submission) } aria-label=(self.words(point)) { (self.mark(point, kind)) } }
            }
            Who::House { .. } => self.mark(point, kind),
        }
    }

    fn mark(&self, point: &FrontierPoint, kind: Kind) -> Markup {
        let (x, y) = (self.x.at(point.flops_per_sample), self.y.at(point.metric));
        let title = self.words(point);
        match kind {
            Kind::Dominated => html! { circle cx=(short(x)) cy=(short(y)) r="3.5" { title { (title) } } },
            Kind::Frontier => html! { circle cx=(short(x)) cy=(short(y)) r="5" { title { (title) } } },
            Kind::House => {
                html! { rect x=(short(x - 4.5)) y=(short(y - 4.5)) width="9" height="9" { title { (title) } } }
            }
            Kind::Own => {
                html! { path d={ "M" (short(x)) " " (short(y - 7.5)) "l7.5 7.5l-7.5 7.5l-7.5 -7.5z" } { title { (title) } } }
            }
        }
    }

    /// Whose point it is, what it has, and what is at least as good for no more.
    fn words(&self, point: &FrontierPoint) -> String {
        let figures = |point: &FrontierPoint| {
            let metric = text::metric(point.metric, self.metric, self.decimals);
            format!("{metric} for {}", text::flops(Some(point.flops_per_sample)))
        };
        let standing = match self.dominator(point) {
            _ if point.on_frontier => ", on the frontier".to_owned(),
            Some(other) => format!(", dominated by {}: {}", name(&other.who), figures(other)),
            None => String::new(),
        };
        format!("{}: {}{standing}", name(&point.who), figures(point))
    }

    /// The best that costs no more. The frontier ascends in FLOPs and improves with every member.
    fn dominator(&self, point: &FrontierPoint) -> Option<&FrontierPoint> {
        let cheaper = self.board.frontier.partition_point(|other| other.flops_per_sample <= point.flops_per_sample);
        self.board.frontier.get(cheaper.checked_sub(1)?)
    }

    /// Names beside members of the frontier, as many as do not stand in each other's way.
    fn labels(&self) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        for point in self.board.frontier.iter().filter(|point| is_finite(point)) {
            let (x, y) = (self.x.at(point.flops_per_sample), self.y.at(point.metric));
            let name = if self.is_own(point) { "you".to_owned() } else { cut(&short_name(&point.who)) };
            let width = name.chars().count() as f64 * LETTER.0;
            let below = (y + 16.0).min(BOTTOM - 4.0);
            let right = Label { left: x + 9.0, width, y: below, name: name.clone() };
            let places = [right, Label { left: x - 9.0 - width, width, y: y - 7.0, name }];
            let free =
                |label: &Label| label.left + label.width < RIGHT && labels.iter().all(|other| !label.meets(other));
            if let Some(label) = places.into_iter().find(free) {
                labels.push(label);
            }
        }
        labels
    }
}

/// A name, and the room it takes.
struct Label {
    left: f64,
    width: f64,
    y: f64,
    name: String,
}

impl Label {
    fn meets(&self, other: &Self) -> bool {
        let beside = self.left > other.left + other.width || other.left > self.left + self.width;
        !beside && (self.y - other.y).abs() < LETTER.1
    }
}

fn is_finite(point: &FrontierPoint) -> bool {
    point.metric.is_finite() && point.flops_per_sample.is_finite() && point.flops_per_sample >= 0.0
}

fn short_name(who: &Who) -> String {
    match who {
        Who::Builder { builder, .. } => builder.to_string(),
        Who::House { name } => plain(name),
    }
}

/// Whose it is, in plain text.
fn name(who: &Who) -> String {
    match who {
        Who::Builder { builder, team, .. } if team.as_str() != builder.as_str() => format!("{builder} ({team})"),
        Who::Builder { builder, .. } => builder.to_string(),
        Who::House { name } => format!("{} (house)", plain(name)),
    }
}

/// At most 16 characters.
fn cut(name: &str) -> String {
    const MOST: usize = 16;
    if name.chars().nth(MOST).is_none() {
        name.to_owned()
    } else {
        name.chars().take(MOST - 1).chain(['…']).collect()
    }
}

/// What the plot shows, as a table: the frontier's members by what they cost.
pub(crate) fn table(board: &Leaderboard, decimals: u32) -> Markup {
    let Some(metric) = board.metrics.first() else { return html! {} };
    let table = html! {
        table {
            caption { "The frontier, by ascending cost" }
            thead { tr {
                th scope="col" { "Whose" }
                th.n scope="col" { (text::foreign(&metric.title)) " " (text::arrow(metric.better)) }
                th.n scope="col" { "FLOPs / sample " (text::arrow(Better::Lower)) }
            } }
            tbody { @for point in &board.frontier { tr {
                th scope="row" {
                    @match &point.who {
                        Who::Builder { builder, submission, .. } => a href={ "/submissions/" (submission) } {
                            (builder)
                        },
                        Who::House { name } => (text::foreign(name)),
                    }
                }
                td.n { (text::metric(point.metric, metric, decimals)) }
                td.n { (text::flops(Some(point.flops_per_sample))) }
            } } }
        }
    };
    crate::layout::scroll("The frontier, by ascending cost", &table)
}
