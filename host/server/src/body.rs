//! Bodies: read whole, up to a size, within a time, and only so many large ones at once.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use thimble_api::ErrorCode;
use thimble_pages::forms::Fields;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::extract::has_type;
use crate::failure::{Failure, Result};
use crate::service::Service;

/// Fields of a form at most.
const MOST_FIELDS: usize = 256;

/// A body, and the place that it takes while it is held.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    place: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(service: &Service, request: Request, limit: usize) -> Result<Held> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > limit as u64) {
        return Err(too_large(limit));
    }
    let place = if limit > service.config.max_json_bytes {
        let place = std::sync::Arc::clone(&service.uploads).try_acquire_owned();
        Some(place.map_err(|_| Failure::unavailable("too many uploads at the same time: try again", 5))?)
    } else {
        None
    };
    let bytes = paced(request.into_body(), limit, service.config.body_timeout, service.config.body_bytes_per_second);
    Ok(Held { bytes: bytes.await?, place })
}

/// Reads a body that must arrive within `timeout`, and beyond at `rate` bytes a second on the whole.
async fn paced(mut body: Body, limit: usize, timeout: Duration, rate: u64) -> Result<Bytes> {
    let begun = Instant::now();
    let mut bytes = BytesMut::new();
    loop {
        let allowed = timeout + Duration::from_secs(bytes.len() as u64 / rate.max(1));
        let frame = tokio::time::timeout_at(begun + allowed, body.frame()).await.map_err(|_| {
            let seconds = timeout.as_secs();
            let message = format!("the body must arrive within {seconds} s, or at {rate} bytes a second");
            Failure::new(ErrorCode::Timeout, message)
        })?;
        let Some(frame) = frame else { return Ok(bytes.freeze()) };
        let frame = frame.map_err(|_| Failure::new(ErrorCode::BadRequest, "the body broke off"))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
}

fn too_large(limit: usize) -> Failure {
    Failure::new(ErrorCode::PayloadTooLarge, format!("the body must have at most {limit} bytes"))
}

/// A form: its texts, and its files.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) fields: Fields,
    files: BTreeMap<String, Bytes>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Form {
    /// A file that has bytes: a browser sends an empty one where nothing was chosen.
    pub(crate) fn file(&self, name: &str) -> Option<Bytes> {
        self.files.get(name).filter(|bytes| !bytes.is_empty()).cloned()
    }
}

/// Reads a form of either encoding.
pub(crate) async fn form(service: &Service, request: Request, limit: usize) -> Result<Form> {
    if has_type(request.headers(), "multipart/form-data") {
        return multipart(service, request, limit).await;
    }
    if !has_type(request.headers(), "application/x-www-form-urlencoded") {
        let message = "the body must be a form: application/x-www-form-urlencoded or multipart/form-data";
        return Err(Failure::new(ErrorCode::UnsupportedMediaType, message));
    }
    let Held { bytes, place } = read(service, request, limit.min(service.config.max_json_bytes)).await?;
    let request = Request::new(Body::from(bytes));
    let (mut parts, body) = request.into_parts();
    parts.method = axum::http::Method::POST;
    parts.headers.insert(
        axum::http::header::CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let request = unlimited(Request::from_parts(parts, body));
    let form = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let axum::Form(pairs) = form.map_err(|_| Failure::new(ErrorCode::BadRequest, "the form cannot be read"))?;
    if pairs.len() > MOST_FIELDS {
        return Err(too_many_fields());
    }
    Ok(Form { fields: pairs.into_iter().collect(), files: BTreeMap::new(), _place: place })
}

/// Reads a form with files.
pub(crate) async fn multipart(service: &Service, request: Request, limit: usize) -> Result<Form> {
    if !has_type(request.headers(), "multipart/form-data") {
        let message = "the body must be multipart/form-data";
        return Err(Failure::new(ErrorCode::UnsupportedMediaType, message));
    }
    let headers = request.headers().clone();
    let Held { bytes, place } = read(service, request, limit).await?;
    let mut whole = Request::new(Body::from(bytes));
    *whole.headers_mut() = headers;
    *whole.method_mut() = axum::http::Method::POST;
    let malformed = |_| Failure::new(ErrorCode::BadRequest, "the multipart body cannot be read");
    let mut parts = Multipart::from_request(unlimited(whole), &())
        .await
        .map_err(|rejection| Failure::new(ErrorCode::BadRequest, rejection.body_text()))?;
    let (mut fields, mut files) = (Vec::new(), BTreeMap::new());
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        if fields.len() + files.len() >= MOST_FIELDS {
            return Err(too_many_fields());
        }
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        // What a file is called is never looked at: nothing is stored under a name that was sent.
        let bytes = part.bytes().await.map_err(malformed)?;
        if is_file {
            let message = "a file must be sent once";
            if files.insert(name, bytes).is_some() {
                return Err(Failure::new(ErrorCode::BadRequest, message));
            }
            continue;
        }
        if bytes.len() > service.config.max_json_bytes {
            return Err(too_large(service.config.max_json_bytes));
        }
        let text = String::from_utf8(bytes.into()).map_err(|_| Failure::of_field(&name, "must be UTF-8"))?;
        fields.push((name, text));
    }
    Ok(Form { fields: fields.into_iter().collect(), files, _place: place })
}

fn too_many_fields() -> Failure {
    Failure::new(ErrorCode::BadRequest, format!("a form has at most {MOST_FIELDS} fields"))
}

/// The size was checked when the body was read.
fn unlimited(mut request: Request) -> Request {
    DefaultBodyLimit::disable().apply(&mut request);
    request
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use futures_util::stream;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_not() {
        assert_eq!(paced(Body::from(vec![7; 10]), 10, LONG, 1).await.unwrap().len(), 10);
        let failure = paced(Body::from(vec![7; 11]), 10, LONG, 1).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PayloadTooLarge);
    }

    #[tokio::test]
    async fn a_body_without_an_end_stops_at_the_limit() {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1024])));
        let failure = paced(Body::from_stream(endless), 1 << 20, LONG, 1).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PayloadTooLarge);
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        let failure = paced(Body::from_stream(silent), 10, Duration::from_millis(20), 1).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Timeout);
    }
}
