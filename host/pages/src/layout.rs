//! What every page has, and the parts that many have.

use maud::{DOCTYPE, Markup, html};
use thimble_api::leaderboard::BudgetUse;
use thimble_api::{Compute, ErrorDetail};

use crate::assets::{self, Asset};
use crate::text;
use crate::viewer::Viewer;

/// The picture of a tab in the browser: a thimble.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%230a5fb4' d='M5 2h6l2 11H3z'/%3E%3Cpath stroke='%23fff' d='M4.4 10.5h7.2'/%3E%3C/svg%3E";

/// A page before its frame is around it.
pub(crate) struct Frame<'a> {
    /// Who looks.
    pub(crate) viewer: &'a Viewer,
    /// Of the window; what the page is of comes first.
    pub(crate) title: &'a str,
    /// What it loads besides the style.
    pub(crate) script: Option<Asset>,
    /// Seconds after which a browser without scripts loads it again.
    pub(crate) refresh: Option<u32>,
}

impl<'a> Frame<'a> {
    /// A page that loads no script and stays as it is.
    pub(crate) const fn still(viewer: &'a Viewer, title: &'a str) -> Self {
        Self { viewer, title, script: None, refresh: None }
    }

    pub(crate) fn around(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (text::plain(self.title)) " · Thimble" }
                    link rel="icon" href=(ICON);
                    link rel="stylesheet" href=(assets::STYLE.address());
                    @if let Some(script) = self.script { script defer src=(script.address()) {} }
                    @if let Some(seconds) = self.refresh { noscript { meta http-equiv="refresh" content=(seconds); } }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.site { div.wide { (self.navigation()) } }
                    main id="main" tabindex="-1" { (body) }
                    footer.site { div.wide {
                        p { "Thimble: models scored by what they get right and by what they compute." }
                        p { a href="/api/openapi.json" { "API" } }
                    } }
                }
            }
        }
    }

    fn navigation(&self) -> Markup {
        html! {
            a.brand href="/" { "Thimble" }
            nav aria-label="Service" {
                a href="/" { "Challenges" }
                @if self.viewer.is_operator() { a href="/operator" { "Operator" } }
                @match self.viewer.signed_in() {
                    Some(session) => {
                        span.who {
                            (session.account)
                            @if session.team.as_str() != session.account.as_str() { span.of { " · " (session.team) } }
                        }
                        (post(self.viewer, "/logout", "Sign out", "plain"))
                    }
                    None => a href="/login" { "Sign in" },
                }
            }
        }
    }
}

/// The hidden field that every form of a session has.
pub(crate) fn csrf(viewer: &Viewer) -> Markup {
    html! { @if let Some(session) = viewer.signed_in() { input type="hidden" name="csrf" value=(session.csrf); } }
}

/// A form that is one button.
pub(crate) fn post(viewer: &Viewer, action: &str, label: &str, class: &str) -> Markup {
    html! { form.inline method="post" action=(action) { (csrf(viewer)) button class=(class) { (label) } } }
}

/// The same for what is better not done by accident: opened first, then done. `consequence` says what happens.
pub(crate) fn post_with_care(viewer: &Viewer, action: &str, label: &str, consequence: &str) -> Markup {
    html! {
        details.care {
            summary { (label) "…" }
            p { (consequence) }
            (post(viewer, action, label, "danger"))
        }
    }
}

/// A word about the state of something.
pub(crate) fn badge(class: &str, word: &str) -> Markup {
    html! { span class={ "badge " (class) } { (word) } }
}

/// The head of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Of texts, which begin under it.
    Words(&'static str),
    /// Of numbers, which end under it.
    Number(&'static str),
}

/// The head of a table whose columns are called by plain words.
pub(crate) fn head(columns: &[Column]) -> Markup {
    html! { thead { tr { @for column in columns {
        @match column {
            Column::Words(name) => th scope="col" { (name) },
            Column::Number(name) => th.n scope="col" { (name) }
        }
    } } } }
}

/// A table that moves inside itself where it is wider than the page.
pub(crate) fn scroll(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// The link to the next part of a list.
pub(crate) fn next_part(address: &str, next: Option<&str>) -> Markup {
    html! {
        @if let Some(next) = next {
            @let join = if address.contains('?') { "&" } else { "?" };
            nav.pages aria-label="Parts of the list" {
                a rel="next" href={ (address) (join) "after=" (text::path(next)) } { "Next" }
            }
        }
    }
}

/// What was wrong with a form, with links to its inputs.
pub(crate) fn fault_list(faults: &[ErrorDetail]) -> Markup {
    html! {
        @if !faults.is_empty() {
            div.notice.bad role="alert" {
                p { strong { "Not accepted: " (text::count(faults.len() as u64, "fault", "faults")) "." } }
                ul { @for fault in faults {
                    @let input = crate::forms::input_of(&fault.field);
                    li {
                        a href={ "#" (input_id(&input)) } { code { (text::foreign(&fault.field)) } } ": "
                        (text::foreign(&fault.message))
                    }
                } }
            }
        }
    }
}

/// The id of an input by its name: an id has no brackets.
pub(crate) fn input_id(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    format!("f-{}", name.chars().map(legal).collect::<String>())
}

/// Parts of a whole: the first filled, the second hatched. The text beside it says the same.
pub(crate) fn bar(used: f64, reserved: f64) -> Markup {
    let used = (used.clamp(0.0, 1.0) * 100.0).clamp(0.0, 100.0);
    let reserved = (reserved.clamp(0.0, 1.0) * 100.0).min(100.0 - used);
    html! {
        svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest width="100" height="6" {}
            rect.used width=(short(used)) height="6" {}
            @if reserved > 0.0 { rect.reserved x=(short(used)) width=(short(reserved)) height="6" {} }
        }
    }
}

/// A coordinate: a tenth of a unit is less than a pixel.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A team's budget, as a bar and in words.
pub(crate) fn budget(budget: &BudgetUse) -> Markup {
    html! {
        div.budget {
            (bar(budget.used.share_of(budget.granted), part(budget.reserved, budget.granted)))
            p {
                (text::compute(budget.used)) " used"
                @if budget.reserved > Compute::ZERO { ", " (text::compute(budget.reserved)) " reserved" }
                ", " strong { (text::compute(budget.left)) " left" } " of " (text::compute(budget.granted))
                @if budget.revoked { " " (badge("bad", "revoked")) }
            }
        }
    }
}

/// A part of a whole; nothing of nothing.
fn part(amount: Compute, whole: Compute) -> f64 {
    if whole == Compute::ZERO { 0.0 } else { amount.share_of(whole) }
}

/// Names and values.
pub(crate) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_never_wider_than_its_frame() {
        for (used, reserved) in [(0.0, 0.0), (0.7, 0.6), (2.0, 1.0), (f64::NAN, 0.5), (0.5, f64::INFINITY)] {
            let html = bar(used, reserved).into_string();
            let widths: Vec<f64> =
                html.split("width=\"").skip(2).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
            assert!(widths.iter().filter(|w| w.is_finite()).sum::<f64>() <= 100.0, "{html}");
        }
    }

    #[test]
    fn the_id_of_an_input_is_a_word() {
        assert_eq!(input_id("score.house[0].name"), "f-score-house-0--name");
        assert_eq!(input_id("\"><script>"), "f----script-");
    }
}
