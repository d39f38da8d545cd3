//! The page of an error.

use maud::{Markup, html};
use thimble_api::{ErrorBody, ErrorCode};

use crate::layout::Frame;
use crate::text::{foreign, seconds};
use crate::viewer::Viewer;

/// The page of an error: what, why, what to do, and the request's id.
pub fn error(viewer: &Viewer, body: &ErrorBody) -> Markup {
    let title = title(body.code);
    let page = html! {
        div.narrow {
            p.quiet { (body.code.status()) }
            h1 { (title) }
            p.big { (foreign(&body.message)) }
            @if !body.details.is_empty() {
                ul {
                    @for detail in &body.details {
                        li { code { (foreign(&detail.field)) } ": " (foreign(&detail.message)) }
                    }
                }
            }
            @if let Some(wait) = body.retry_after_seconds {
                p { "Another attempt can succeed in " (seconds(wait)) "." }
            }
            p {
                @if viewer.signed_in().is_none() && matches!(body.code, ErrorCode::Unauthorized | ErrorCode::NotFound | ErrorCode::Forbidden) {
                    a.button href="/login" { "Sign in" } " "
                }
                a href="/" { "To the challenges" }
            }
            p.quiet { "Request " code { (foreign(&body.request_id)) } }
        }
    };
    Frame::still(viewer, title).around(&page)
}

const fn title(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadRequest => "That request cannot be read",
        ErrorCode::Unauthorized => "Sign in first",
        ErrorCode::Forbidden => "That is not yours to do",
        ErrorCode::NotFound => "Nothing here",
        ErrorCode::MethodNotAllowed => "Not possible here",
        ErrorCode::Conflict => "Not possible as things stand",
        ErrorCode::PreconditionFailed => "It has changed in the meantime",
        ErrorCode::PayloadTooLarge => "Too large",
        ErrorCode::UnsupportedMediaType => "Not a kind of file that is taken",
        ErrorCode::ValidationFailed => "Against the rules",
        ErrorCode::RateLimited => "Too many requests",
        ErrorCode::QuotaExhausted => "The quota is used up",
        ErrorCode::BudgetExhausted => "The budget is used up",
        ErrorCode::Timeout => "The request took too long to arrive",
        ErrorCode::Internal => "The service failed",
        ErrorCode::Unavailable => "Not available at the moment",
    }
}
