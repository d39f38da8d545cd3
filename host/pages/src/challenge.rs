//! The head of a challenge with its tabs, and the tabs that show what others made: description and statistics.

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, Stage};
use thimble_api::id::ChallengeName;
use thimble_challenge::challenge::Visibility;

use crate::assets::Asset;
use crate::challenges::{stage, task};
use crate::layout::{Frame, badge};
use crate::markdown;
use crate::text::{arrow, foreign, time};
use crate::viewer::Viewer;

/// The tabs of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Leaderboard,
    Description,
    Explore,
    Training,
    Submissions,
    Monitor,
}

impl Tab {
    const ALL: [Self; 6] =
        [Self::Leaderboard, Self::Description, Self::Explore, Self::Training, Self::Submissions, Self::Monitor];

    const fn title(self) -> &'static str {
        match self {
            Self::Leaderboard => "Leaderboard",
            Self::Description => "Description",
            Self::Explore => "Explore",
            Self::Training => "Training",
            Self::Submissions => "Submissions",
            Self::Monitor => "Monitor",
        }
    }

    /// Its address.
    pub(crate) fn address(self, challenge: &ChallengeName) -> String {
        let part = match self {
            Self::Leaderboard => "",
            Self::Description => "/description",
            Self::Explore => "/explore",
            Self::Training => "/training",
            Self::Submissions => "/submissions",
            Self::Monitor => "/monitor",
        };
        format!("/challenges/{challenge}{part}")
    }
}

/// A page of a challenge: its head, its tabs, and what the tab shows.
pub(crate) fn tab(viewer: &Viewer, view: &ChallengeView, tab: Tab, script: Option<Asset>, inside: &Markup) -> Markup {
    let title = match tab {
        Tab::Leaderboard => view.summary.title.clone(),
        tab => format!("{} · {}", tab.title(), view.summary.title),
    };
    let body = html! {
        (head(viewer, view))
        nav.tabs aria-label="Challenge" { ul {
            @for one in Tab::ALL.into_iter().filter(|one| *one != Tab::Monitor || viewer.is_operator()) {
                li {
                    a href=(one.address(&view.summary.name)) aria-current=[(one == tab).then_some("page")] {
                        (one.title())
                    }
                }
            }
        } }
        (inside)
    };
    Frame { viewer, title: &title, script, refresh: None }.around(&body)
}

fn head(viewer: &Viewer, view: &ChallengeView) -> Markup {
    let summary = &view.summary;
    html! {
        div.challenge-head {
            p.badges {
                (stage(summary.stage))
                @if summary.visibility == Visibility::Private { (badge("quiet", "private")) }
                @if view.challenge.practice { (badge("warn", "practice")) }
                @if viewer.is_operator() { a.edit href={ "/operator/challenges/" (summary.name) "/step/1" } { "Edit" } }
            }
            h1 { (foreign(&summary.title)) }
            p.lead { (foreign(&summary.summary)) }
            p.line {
                (foreign(&task(&summary.task)))
                " · ranked by " (foreign(&summary.metric.title)) " " (arrow(summary.metric.better))
                @if let Some(closes) = summary.closes_at {
                    " · " @if summary.stage == Stage::Closed { "closed " } @else { "closes " } (time(closes))
                }
            }
        }
    }
}

/// The tab Description: what the owner wrote, with the table of figures in it.
pub fn description(viewer: &Viewer, view: &ChallengeView, statement: &str) -> Markup {
    let inside = html! {
        (markdown::html(statement))
        @if let Some(salt) = &view.revealed_salt {
            section {
                h2 { "Commitment" }
                p {
                    "The challenge is closed, and the salt of its commitment to the official data is public: anyone "
                    "who has the data can check that it was never changed."
                }
                dl.facts {
                    div { dt { "Salt" } dd { code { (foreign(salt)) } } }
                    @if let Some(commitment) = &view.challenge.datasets.official_commitment {
                        div { dt { "Commitment" } dd { code { (commitment) } } }
                    }
                }
            }
        }
        p.quiet { "Revision " (view.revision) " · " code { "challenge.json" } " " code { (view.digest) } }
    };
    tab(viewer, view, Tab::Description, None, &inside)
}

/// The tab Explore: the stored page of statistics, in a frame that may do nothing.
pub fn explore(viewer: &Viewer, view: &ChallengeView) -> Markup {
    let address = format!("/api/v1/challenges/{}/explore", view.summary.name);
    let inside = html! {
        @if view.has_exploration {
            p {
                "Statistics of the data, computed beside it; rows never leave it. "
                a href=(address) { "Open as a page of its own" } "."
            }
            iframe.exploration src=(address) title="Statistics of the data" sandbox="" loading="lazy" {}
        } @else {
            p.notice {
                "The owner has attached no statistics. The shape of the data is in the "
                a href=(Tab::Description.address(&view.summary.name)) { "description" } "."
            }
        }
    };
    tab(viewer, view, Tab::Explore, None, &inside)
}
