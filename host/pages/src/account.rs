//! Signing in, and accepting an invitation.

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::account::Joined;

use crate::forms::{JoinForm, LoginForm};
use crate::input::{Inputs, Line};
use crate::layout::{Frame, csrf, fault_list};
use crate::text::{foreign, path, plain, time};
use crate::viewer::Viewer;

/// Signing in; `fault` says why it did not work.
pub fn login(viewer: &Viewer, form: &LoginForm, fault: Option<&str>) -> Markup {
    let body = html! {
        div.narrow {
            h1 { "Sign in" }
            @if let Some(fault) = fault { div.notice.bad role="alert" { p { (foreign(fault)) } } }
            form method="post" action="/login" {
                (csrf(viewer))
                input type="hidden" name="next" value=(form.next());
                p.field {
                    label for="f-token" { "Token" }
                    span.hint id="h-token" {
                        "It begins with " code { "thb_" }
                        ". It was shown once, when you joined or when the operator made it."
                    }
                    input id="f-token" type="password" name="token" required autocomplete="current-password" aria-describedby="h-token" aria-invalid=[fault.map(|_| "true")];
                }
                p { button.main { "Sign in" } }
            }
            p.quiet { "Invited, and no token yet? " a href="/join" { "Accept the invitation" } "." }
        }
    };
    Frame::still(viewer, "Sign in").around(&body)
}

/// Accepting an invitation: with a new account, or with the one that is signed in.
pub fn join(viewer: &Viewer, form: &JoinForm, faults: &[ErrorDetail]) -> Markup {
    const NAME: &str = "3 to 63 lower-case letters, digits and single hyphens";
    let inputs = Inputs { faults, missing: &[] };
    let body = html! {
        div.narrow {
            h1 { "Accept an invitation" }
            (fault_list(faults))
            form method="post" action="/join" {
                (csrf(viewer))
                (inputs.line(&Line::new("code", "Code", &form.code, "As you were given it; it works once")))
                @match viewer.signed_in() {
                    Some(session) => p { "It is accepted for your account " strong { (session.account) } "." },
                    None => {
                        (inputs.line(&Line::new("account", "Name of your new account", &form.account, NAME)))
                        (inputs.line(&Line::new("team", "Name of your team", &form.team, "A new one; empty for a team of your own. A team shares one budget and has one vote in the field")))
                        p.quiet {
                            "You have an account? "
                            a href={ "/login?next=" (path(&format!("/join?code={}", path(&form.code)))) } {
                                "Sign in first"
                            }
                            "."
                        }
                    },
                }
                p { button.main { "Accept" } }
            }
        }
    };
    Frame::still(viewer, "Accept an invitation").around(&body)
}

/// An accepted invitation. A new account's token is on this page and nowhere else: the answer must not be stored.
pub fn joined(viewer: &Viewer, joined: &Joined) -> Markup {
    let body = html! {
        div.narrow {
            h1 { "Welcome" }
            @if let Some(token) = &joined.token {
                div.notice.warn {
                    p {
                        strong { "Keep this token now: it is not shown again." } " It signs you in here and in "
                        code { "thimble login" } "."
                    }
                    pre.secret tabindex="0" { (plain(&token.secret)) }
                    p.quiet {
                        "Account " (token.token.account)
                        @if let Some(end) = token.token.expires_at { ", valid until " (time(end)) }
                    }
                }
            }
            p { a.button href={ "/challenges/" (joined.challenge) "/training" } { "Go to the challenge" } }
        }
    };
    Frame::still(viewer, "Welcome").around(&body)
}
