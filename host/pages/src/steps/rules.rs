//! Step 4: limits, quotas, release, budgets, invitations; then publishing.

use maud::{Markup, html};
use thimble_api::account::{InviteView, NewInvite};
use thimble_api::operator::DraftView;
use thimble_api::{Compute, ErrorDetail, Price};

use super::{StepPage, radios};
use crate::forms::{Step, Step4Form, is_open};
use crate::input::{Inputs, Line};
use crate::layout::{
    Column::{Number, Words},
    badge, csrf, head, post, scroll,
};
use crate::text::{self, NONE, count, foreign, path, plain, time};
use crate::viewer::Viewer;

/// Who was invited, and what a petaFLOP costs.
#[derive(Debug, Clone, Copy)]
pub struct Invitations<'a> {
    /// Invitations of this challenge, newest first.
    pub invites: &'a [InviteView],
    /// The one that was just made, with its code.
    pub created: Option<&'a NewInvite>,
    /// Teams that get a budget: those that joined, and one for each open invitation.
    pub teams: u64,
    /// Of a petaFLOP.
    pub price: Price,
    /// How people reach the service, for example `https://thimble.example`.
    pub origin: &'a str,
}

/// Teams of the worked example, where none is invited yet.
const EXAMPLE_TEAMS: u64 = 10;

/// Step 4.
pub fn step4(
    viewer: &Viewer,
    view: &DraftView,
    form: &Step4Form,
    faults: &[ErrorDetail],
    invitations: &Invitations<'_>,
) -> Markup {
    let page = StepPage { viewer, view, step: Step::Rules, faults, multipart: false, continues: true };
    let inputs = page.inputs();
    let closed = !is_open(view.stage);
    let body = html! {
        fieldset.bare disabled[closed] {
            (limits(&inputs, form))
            (release(&inputs, form))
        }
        (quotas(&inputs, form))
        (budgets(&inputs, form, invitations))
        fieldset.bare disabled[closed] { (carbon(&inputs, form)) }
        @if !closed && !view.faults.is_empty() { (to_mend(&page, view)) }
    };
    page.around(&body, &invites(viewer, view, invitations))
}

fn limits(inputs: &Inputs<'_>, form: &Step4Form) -> Markup {
    const INDEPENDENT: &str =
        "some are predicted again in another order; a submission whose answers differ is not ranked";
    html! {
        fieldset {
            legend { "What a submission may use" }
            (inputs.lines(&[
                ("limits.parameters", "Parameters", &form.parameters, "Stored 32-bit words, inclusive: 1 to 1,000,000,000"),
                ("limits.embedded_allowance_bytes", "Free component size", &form.embedded_allowance_bytes, "Beyond, 4 bytes are a parameter: 0 to 4 MiB"),
                ("limits.training_flops", "Training", &form.training_flops, "FLOPs, for example 4TF; at most 562 TF"),
                ("limits.prediction_flops_per_sample", "Prediction, per test row", &form.prediction_flops_per_sample, "FLOPs, for example 2MF; at most 8.5 GF"),
                ("limits.memory_bytes", "Memory", &form.memory_bytes, "1 MiB to 4 GiB"),
                ("limits.wall_seconds", "Wall clock, in seconds", &form.wall_seconds, "1 to 86,400; a last resort, FLOPs are the limit"),
                ("limits.batch_size", "Rows per batch", &form.batch_size, "1 to 65,536"),
                ("seed", "Seed", &form.seed, "A public number: order of rows and the solution's random streams derive from it"),
            ]))
            (radios(inputs, "rows", "Rows", &form.rows, &[
                ("independent", html! { strong { "Predicted independently of each other" } " — " (INDEPENDENT) }),
                ("transductive", html! { strong { "A prediction may depend on other rows" } }),
            ]))
        }
    }
}

fn release(inputs: &Inputs<'_>, form: &Step4Form) -> Markup {
    html! {
        fieldset {
            legend { "What an official run publishes" }
            (inputs.lines(&[
                ("release.metric_decimals", "Digits of metrics", &form.metric_decimals, "1 to 6"),
                ("release.flops_digits", "Digits of FLOPs", &form.flops_digits, "Significant ones, 1 to 6"),
                ("release.tick_seconds", "Release every … seconds", &form.tick_seconds, "0 for at once; at most 604,800"),
                ("release.improvement", "Only when better by more than", &form.improvement, "Than the builder's last figure; empty for always"),
                ("release.shown_share", "Share of test rows shown", &form.shown_share, "0.05 to 0.95; metrics of the others are published at the close. Empty for all"),
            ]))
        }
    }
}

fn quotas(inputs: &Inputs<'_>, form: &Step4Form) -> Markup {
    let closes = Line {
        kind: "datetime-local",
        ..Line::new("rules.closes_at", "Closes at, in UTC", &form.closes_at, "Empty for open end")
    };
    html! {
        fieldset {
            legend { "Quotas of a builder" }
            (inputs.lines(&[
                ("quotas.official_per_day", "Official submissions in 24 hours", &form.official_per_day, "1 to 1,000"),
                ("rules.official_lifetime", "Official submissions in all", &form.official_lifetime, "Empty for no limit"),
                ("quotas.validation_per_day", "Validation submissions in 24 hours", &form.validation_per_day, "1 to 10,000"),
                ("rules.failures_per_day", "Failed runs in 24 hours that do not count", &form.failures_per_day, "0 to 1,000"),
                ("rules.concurrency", "Runs at the same time", &form.concurrency, "1 to 16"),
            ]))
            div.fields { (inputs.line(&closes)) }
        }
    }
}

fn budgets(inputs: &Inputs<'_>, form: &Step4Form, invitations: &Invitations<'_>) -> Markup {
    let each: Option<Compute> = form.team_budget.parse().ok();
    let price = &invitations.price;
    let total = |teams: u64, each: Compute| {
        let cost = price.of(each.times(teams));
        html! { (count(teams, "team", "teams")) " × " (each) " × " (price) " = " strong { (cost) } }
    };
    html! {
        fieldset {
            legend { "Compute" }
            (inputs.lines(&[("rules.team_budget", "Budget of each team", &form.team_budget, "For example 200PF; one PF is a thousand TF. Can be changed at any time, for each team on its own")]))
            @if let Some(each) = each {
                p.sum {
                    @if invitations.teams > 0 {
                        (total(invitations.teams, each)) span.quiet { " at most, those invited so far" }
                    }
                    @else { (total(EXAMPLE_TEAMS, each)) span.quiet { " at most, if " (EXAMPLE_TEAMS) " teams join" } }
                }
            }
        }
    }
}

fn carbon(inputs: &Inputs<'_>, form: &Step4Form) -> Markup {
    let [joules, pue, grid] = &form.carbon;
    html! {
        details {
            summary { "Carbon factors" }
            fieldset {
                legend { "gCO2e = FLOPs × joules a FLOP × PUE × g/kWh / 3,600,000" }
                (inputs.lines(&[
                    ("carbon.joules_per_flop", "Joules a FLOP", joules, "2e-10 by default, ×/÷ 5"),
                    ("carbon.pue", "PUE of the site", pue, "1 to 10; 1.54 is the world's mean"),
                    ("carbon.grid_g_per_kwh", "Grid, g/kWh", grid, "473 is the world's mean"),
                ]))
            }
        }
    }
}

fn to_mend(page: &StepPage<'_>, view: &DraftView) -> Markup {
    html! {
        div.notice {
            p { strong { "Before it can be published:" } }
            ul { @for fault in &view.faults {
                @let step = Step::of_fault(&fault.field);
                li {
                    a href=(page.address(step)) { "Step " (step.number()) } ", " code { (foreign(&fault.field)) } ": "
                    (foreign(&fault.message))
                }
            } }
        }
    }
}

fn invites(viewer: &Viewer, view: &DraftView, invitations: &Invitations<'_>) -> Markup {
    html! {
        section.panel aria-labelledby="invitations" {
            h2 id="invitations" { "Invitations" }
            p.quiet {
                "A code works once. Nothing is sent: hand it over yourself. The label is what you remember the "
                "person by."
            }
            @if let Some(created) = invitations.created { (code(created, invitations.origin)) }
            form method="post" action={ "/operator/challenges/" (view.name) "/invite" } {
                (csrf(viewer))
                div.fields {
                    p.field {
                        label for="f-label" { "For whom" } span.hint { "1 to 200 characters" }
                        input id="f-label" name="label" required maxlength="200" dir="auto";
                    }
                    p.field {
                        label for="f-budget" { "Budget of the team" } span.hint { "Empty for the challenge's" }
                        input id="f-budget" name="budget";
                    }
                    p.field {
                        label for="f-days" { "Valid for days" } span.hint { "14 by default" }
                        input id="f-days" name="days" inputmode="numeric";
                    }
                }
                p { button { "Make an invitation" } }
            }
            @if !invitations.invites.is_empty() { (scroll("Invitations", &table(viewer, invitations.invites))) }
        }
    }
}

fn code(created: &NewInvite, origin: &str) -> Markup {
    html! {
        div.notice.warn {
            p { strong { "The code for " (foreign(&created.invite.label)) ": it is not shown again." } }
            pre.secret tabindex="0" { (plain(&created.code)) }
            p.quiet { "Or as a link: " code { (plain(origin)) "/join?code=" (path(&created.code)) } }
        }
    }
}

fn table(viewer: &Viewer, invites: &[InviteView]) -> Markup {
    html! { table {
        caption { "Newest first" }
        (head(&[Words("For"), Words("Code"), Words("State"), Number("Budget"), Words("Ends"), Words("Acts")]))
        tbody { @for invite in invites { tr {
            th scope="row" { (foreign(&invite.label)) }
            td { code { (foreign(&invite.prefix)) "…" } }
            td {
                @match (&invite.accepted_by, invite.revoked_at) {
                    (Some(account), _) => { (badge("good", "accepted")) " " (account) },
                    (None, Some(_)) => (badge("bad", "revoked")),
                    (None, None) => (badge("quiet", "open"))
                }
            }
            td.n { @match invite.budget { Some(budget) => (text::compute(budget)), None => (NONE) } }
            td { (time(invite.expires_at)) }
            td {
                @if invite.accepted_by.is_none() && invite.revoked_at.is_none() {
                    (post(viewer, &format!("/operator/invites/{}/revoke", path(&invite.prefix)), "Revoke", "small"))
                }
            }
        } } }
    } }
}
