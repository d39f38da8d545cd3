//! The list of challenges.

use maud::{Markup, html};
use thimble_api::Page;
use thimble_api::challenge::{ChallengeSummary, ChallengesQuery, Stage};
use thimble_challenge::challenge::Visibility;

use crate::layout::{Frame, badge, next_part};
use crate::text::{arrow, count, foreign, path, plain, time};
use crate::viewer::Viewer;

/// The list of challenges, with the words that were searched for.
pub fn challenges(viewer: &Viewer, page: &Page<ChallengeSummary>, query: &ChallengesQuery) -> Markup {
    let words = query.q.as_deref().unwrap_or_default();
    let address = if words.is_empty() { "/".to_owned() } else { format!("/?q={}", path(words)) };
    let body = html! {
        div.title-row {
            h1 { "Challenges" }
            form.search role="search" method="get" action="/" {
                label.unseen for="q" { "Words in title, summary or keywords" }
                input id="q" type="search" name="q" value=(plain(words)) placeholder="Search" maxlength="200";
                button { "Search" }
            }
        }
        @if page.items.is_empty() {
            p.notice {
                @if words.is_empty() { "There is no challenge yet." } @else {
                    "No challenge has all of these words. " a href="/" { "Show all" } "."
                }
                @if viewer.signed_in().is_none() {
                    " Private ones show to those invited, once they " a href="/login" { "sign in" } "."
                }
            }
        }
        ul.tiles { @for summary in &page.items { li { (tile(summary)) } } }
        (next_part(&address, page.next.as_deref()))
    };
    Frame::still(viewer, "Challenges").around(&body)
}

/// A challenge in the list. Step 1 shows the same as a preview.
pub(crate) fn tile(summary: &ChallengeSummary) -> Markup {
    html! {
        article.tile {
            @match &summary.cover {
                Some(address) => img.cover src=(plain(address)) alt="" loading="lazy" width="640" height="320";,
                None => (no_cover(summary.name.as_str())),
            }
            div.inside {
                p.badges {
                    (stage(summary.stage))
                    @if summary.visibility == Visibility::Private { (badge("quiet", "private")) }
                }
                h2 { a href={ "/challenges/" (summary.name) } data-preview="title" { (foreign(&summary.title)) } }
                p.summary data-preview="summary" { (foreign(&summary.summary)) }
                @if !summary.keywords.is_empty() {
                    ul.keywords { @for word in &summary.keywords { li { (foreign(word)) } } }
                }
                dl.figures {
                    div { dt { "Task" } dd { (foreign(&task(&summary.task))) } }
                    div {
                        dt { "Ranked by" } dd { (foreign(&summary.metric.title)) " " (arrow(summary.metric.better)) }
                    }
                    div {
                        dt { "Field" }
                        dd {
                            (count(summary.builders, "builder", "builders")) ", "
                            (count(summary.results, "result", "results"))
                        }
                    }
                    @if let Some(closes) = summary.closes_at {
                        div {
                            dt { @if summary.stage == Stage::Closed { "Closed" } @else { "Closes" } }
                            dd { (time(closes)) }
                        }
                    }
                }
            }
        }
    }
}

/// What pages call a task, by its name in files.
pub(crate) fn task(name: &str) -> String {
    let known = thimble_metrics::Task::ALL.into_iter().find(|task| task.name() == name);
    known.map_or_else(|| name.to_owned(), |task| task.label().to_owned())
}

pub(crate) fn stage(stage: Stage) -> Markup {
    match stage {
        Stage::Draft => badge("warn", "draft"),
        Stage::Published => badge("good", "open"),
        Stage::Closed => badge("quiet", "closed"),
    }
}

/// Stands where there is no cover: a pattern by the name, so that tiles can be told apart.
fn no_cover(name: &str) -> Markup {
    // FNV-1a: any function that spreads names would do.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let heights = (0..12_u32).map(|i| 12 + ((hash.rotate_left(i * 5) ^ i.wrapping_mul(0x9e37)) % 40));
    html! {
        svg.cover.none viewBox="0 0 128 64" preserveAspectRatio="xMidYMid slice" aria-hidden="true" {
            @for (i, height) in heights.enumerate() {
                rect x=(i * 10 + 5) y=(64 - height) width="7" height=(height) {}
            }
        }
    }
}
