//! The tab Monitor, for operators: use, teams, submissions.

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, Stage};
use thimble_api::operator::{
    AccountActivity, DayUse, Monitor, RecordState, SubmissionRecord, TeamBudget, VerdictCount,
};
use thimble_api::{ErrorDetail, Page};
use thimble_challenge::challenge::{Disclosure, grouped};

use crate::challenge::{Tab, tab};
use crate::layout::{
    Column::{Number, Words},
    badge, bar, budget, csrf, fault_list, head, next_part, post, post_with_care, scroll,
};
use crate::submission::{mode, short_id};
use crate::text::{self, NONE, count, foreign, time};
use crate::viewer::Viewer;
use crate::{curves, verdict};

/// The tab Monitor. `faults` are those of a budget that was not taken.
pub fn monitor(
    viewer: &Viewer,
    view: &ChallengeView,
    use_of: &Monitor,
    page: &Page<SubmissionRecord>,
    faults: &[ErrorDetail],
) -> Markup {
    let address = format!("/operator/challenges/{}", view.summary.name);
    let inside = html! {
        (fault_list(faults))
        (figures(use_of))
        (disclosure(view))
        section aria-labelledby="days" {
            h2 id="days" { "Submissions by day" }
            (curves::days(&use_of.days))
            details { summary { "As a table" } (scroll("Submissions by day", &days(&use_of.days))) }
        }
        (teams(viewer, &address, &use_of.teams))
        div.columns { (verdicts(&use_of.verdicts)) (activity(&use_of.activity)) }
        section aria-labelledby="all" {
            h2 id="all" { "Submissions" }
            @if page.items.is_empty() { p.notice { "There is none yet." } } @else {
                (scroll("Submissions", &records(viewer, &page.items)))
            }
            (next_part(&Tab::Monitor.address(&view.summary.name), page.next.as_deref()))
        }
        section aria-labelledby="acts" {
            h2 id="acts" { "The whole challenge" }
            (post_with_care(viewer, &format!("{address}/rescore"), "Rescore every submission", "Every finished official submission is queued again. The old results stay until the new ones are there."))
            @if view.summary.stage == Stage::Published {
                (post_with_care(viewer, &format!("{address}/close"), "Close the challenge", "It takes no submissions any more, its anchors are frozen and the salt of its commitment is published. This cannot be undone."))
            }
        }
    };
    tab(viewer, view, Tab::Monitor, None, &inside)
}

fn figures(use_of: &Monitor) -> Markup {
    let official: u64 = use_of.days.iter().map(|day| day.official).sum();
    let validation: u64 = use_of.days.iter().map(|day| day.validation).sum();
    let used = use_of.teams.iter().map(|team| team.budget.used).sum::<thimble_api::Compute>();
    let granted = use_of.teams.iter().map(|team| team.budget.granted).sum::<thimble_api::Compute>();
    html! {
        ul.numbers {
            li { strong { (grouped(official)) } span { "official submissions in " (use_of.days.len()) " days" } }
            li { strong { (grouped(validation)) } span { "validation submissions" } }
            li { strong { (grouped(use_of.teams.len() as u64)) } span { "teams" } }
            li { strong { (text::compute(used)) } span { "used of " (text::compute(granted)) " granted" } }
            li { strong { (use_of.cost) } span { "price of what was used" } }
        }
    }
}

/// What official runs tell a builder at most.
fn disclosure(view: &ChallengeView) -> Markup {
    let disclosure = Disclosure::of(&view.challenge);
    let (official, failures) = (view.challenge.quotas.official_per_day, view.rules.failures_per_day);
    html! {
        details {
            summary { "An official run tells its builder at most " (format!("{:.1}", disclosure.bits())) " bits" }
            p {
                "A submission that has seen the data chooses among the values below. With "
                (count(official.into(), "submission", "submissions")) " and "
                (count(failures.into(), "forgiven failure", "forgiven failures")) " a day, a builder learns at most "
                (format!("{:.0}", disclosure.bits_a_day(official, failures))) " bits a day."
            }
            (scroll("What an official run tells", &html! { table {
                caption { "What an official run tells" }
                (head(&[Words("Figure"), Number("Values"), Number("Bits")]))
                tbody { @for (name, values) in disclosure.figures() { tr {
                    th scope="row" { (foreign(name)) }
                    td.n { (grouped(values as u64)) }
                    td.n { (format!("{:.1}", values.log2())) }
                } } }
            } }))
        }
    }
}

fn days(days: &[DayUse]) -> Markup {
    html! { table {
        caption { "Submissions by day, in UTC" }
        (head(&[Words("Day"), Number("Official"), Number("Validation"), Number("Charged")]))
        tbody { @for day in days.iter().rev() { tr {
            th scope="row" { (foreign(&day.day)) } td.n { (grouped(day.official)) } td.n { (grouped(day.validation)) } td.n {
                (text::compute(day.charged))
            }
        } } }
    } }
}

fn teams(viewer: &Viewer, address: &str, teams: &[TeamBudget]) -> Markup {
    html! {
        section aria-labelledby="teams" {
            h2 id="teams" { "Teams and budgets" }
            @if teams.is_empty() { p.notice { "No team has joined yet." } }
            ul.teams { @for team in teams { li.card {
                div.title-row { h3 { (team.team) } p.quiet { (team.cost) } }
                p.quiet { @for (i, member) in team.members.iter().enumerate() { @if i > 0 { ", " } (member) } }
                (budget(&team.budget))
                (budget_form(viewer, address, team))
            } } }
        }
    }
}

fn budget_form(viewer: &Viewer, address: &str, team: &TeamBudget) -> Markup {
    let id = format!("granted-{}", team.team);
    html! {
        details {
            summary { "Change the budget" }
            form.row method="post" action={ (address) "/budget" } {
                (csrf(viewer))
                input type="hidden" name="team" value=(team.team);
                p.field {
                    label for=(id) { "In all, what was used included" }
                    input id=(id) name="granted" value=(team.budget.granted) required size="10";
                }
                label.choice {
                    input type="checkbox" name="revoked" value="yes" checked[team.budget.revoked]; span {
                        "Revoked: no further submission"
                    }
                }
                button { "Save" }
            }
        }
    }
}

fn verdicts(verdicts: &[VerdictCount]) -> Markup {
    let all: u64 = verdicts.iter().map(|line| line.count).sum();
    html! {
        section aria-labelledby="verdicts" {
            h2 id="verdicts" { "Verdicts of official runs" }
            @if verdicts.is_empty() { p.notice { "None yet." } } @else {
                (scroll("Verdicts", &html! { table {
                    caption { (count(all, "run", "runs")) }
                    thead {
                        tr {
                            th scope="col" { "Verdict" } th.n scope="col" { "Runs" }
                            th scope="col" { span.unseen { "Share" } }
                        }
                    }
                    tbody { @for line in verdicts { tr {
                        th scope="row" { (line.verdict.map_or("Cancelled", verdict::title)) }
                        td.n { (grouped(line.count)) }
                        td.bar { (bar(line.count as f64 / all.max(1) as f64, 0.0)) }
                    } } }
                } }))
            }
        }
    }
}

fn activity(accounts: &[AccountActivity]) -> Markup {
    html! {
        section aria-labelledby="activity" {
            h2 id="activity" { "Activity" }
            @if accounts.is_empty() { p.notice { "None yet." } } @else {
                (scroll("Activity", &html! { table {
                    caption { "Accounts by their last submission" }
                    (head(&[Words("Account"), Words("Team"), Number("Submissions"), Words("Last")]))
                    tbody { @for line in accounts { tr {
                        th scope="row" { (line.account) } td { (line.team) } td.n { (grouped(line.submissions)) } td {
                            (time(line.last_at))
                        }
                    } } }
                } }))
            }
        }
    }
}

fn records(viewer: &Viewer, records: &[SubmissionRecord]) -> Markup {
    html! { table {
        caption { "Newest first" }
        (head(&[
            Words("Submission"), Words("Builder"), Words("Data"), Words("State"), Words("Submitted"),
            Number("Attempts"), Number("Charged"), Words("Acts"),
        ]))
        tbody { @for record in records { tr {
            th scope="row" { a href={ "/submissions/" (record.id) } { (short_id(&record.id.to_string())) } }
            td { (record.builder) span.team { (record.team) } }
            td { (mode(record.mode)) }
            td { (state(record)) }
            td { (time(record.submitted_at)) }
            td.n { (record.attempts) }
            td.n { (text::compute(record.charged)) }
            td { (acts(viewer, record)) }
        } } }
    } }
}

/// Where a record stands.
pub(crate) fn state(record: &SubmissionRecord) -> Markup {
    html! {
        @match (record.state, record.verdict) {
            (RecordState::Finished, Some(ending)) => (badge(verdict::class(ending), verdict::title(ending))),
            (RecordState::Finished, None) => (badge("quiet", "Cancelled")),
            (state, _) => (badge("warn", state.name())),
        }
        @if record.withdrawn { " " (badge("bad", "withdrawn")) }
    }
}

/// What an operator can do with a submission.
pub(crate) fn acts(viewer: &Viewer, record: &SubmissionRecord) -> Markup {
    let act =
        |act: &str, label: &str| post(viewer, &format!("/operator/submissions/{}/{act}", record.id), label, "small");
    html! {
        div.acts {
            @if record.state == RecordState::Finished {
                (act("rescore", "Rescore"))
                @if record.withdrawn { (act("reinstate", "Reinstate")) } @else { (act("withdraw", "Withdraw")) }
            } @else { (act("cancel", "Cancel")) }
        }
    }
}

/// A time, or a dash.
pub(crate) fn maybe_time(at: Option<thimble_api::Timestamp>) -> Markup {
    html! { @match at { Some(at) => (time(at)), None => (NONE) } }
}
