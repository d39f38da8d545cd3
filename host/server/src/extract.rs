//! What a request holds, parsed; what does not parse is an error in the one shape.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use thimble_api::{ErrorCode, ErrorDetail};

use crate::body;
use crate::failure::{Failure, Result};
use crate::service::Service;

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Service> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, service: &Service) -> Result<Self> {
        if !has_type(request.headers(), "application/json") {
            let message = "the body must be JSON, with the header `content-type: application/json`";
            return Err(Failure::new(ErrorCode::UnsupportedMediaType, message));
        }
        let held = body::read(service, request, service.config.max_json_bytes).await?;
        json(&held.bytes).map(Self)
    }
}

/// Parses JSON; where it has another form, the path of the field is told.
fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.inner();
        if inner.is_data() {
            return Failure::of_field(&field, inner.to_string());
        }
        Failure::new(ErrorCode::BadRequest, format!("the body is not JSON: {inner}"))
    })?;
    let after = deserializer.end();
    after.map_err(|error| Failure::new(ErrorCode::BadRequest, format!("the body is not one JSON value: {error}")))?;
    Ok(value)
}

/// Whether the body is said to be of a media type, whatever its parameters.
pub(crate) fn has_type(headers: &HeaderMap, kind: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

/// A header's text; an error where it is none.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        Ok(text) if values.next().is_none() => Ok(Some(text)),
        _ => Err(Failure::new(ErrorCode::BadRequest, format!("header {name}: one value of visible ASCII characters"))),
    }
}

/// The query, every name known.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(value)| Self(value)).map_err(
            |rejection| {
                let text = rejection.body_text();
                let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let failure = Failure::new(ErrorCode::BadRequest, format!("the query is not what this takes: {text}"));
                let known = text.split_once(": ").filter(|(field, _)| !field.contains(' '));
                let details =
                    known.map(|(field, message)| ErrorDetail { field: field.to_owned(), message: message.to_owned() });
                Failure { details: details.into_iter().collect(), ..failure }
            },
        )
    }
}

/// What the path names. A text that can be no name names nothing: 404.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Sync + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let parsed = axum::extract::Path::from_request_parts(parts, state).await;
        parsed.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Failure::not_found())
    }
}

impl<T: JsonSchema> OperationInput for Json<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(context, operation);
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<T>::operation_input(context, operation);
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(context, operation);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use thimble_api::account::TokenRequest;
    use thimble_api::page::PageQuery;

    use super::*;

    #[test]
    fn a_fault_of_json_names_its_field() {
        let failure = json::<TokenRequest>(br#"{"account": "UPPER", "scope": "builder"}"#).unwrap_err();
        assert_eq!((failure.code, failure.details[0].field.as_str()), (ErrorCode::ValidationFailed, "account"));
        let failure = json::<TokenRequest>(br#"{"account": "abc", "scope": "builder", "more": 1}"#).unwrap_err();
        assert_eq!(failure.code, ErrorCode::ValidationFailed);
        for bad in ["", "{", "{} {}", "\u{0}"] {
            let code = json::<TokenRequest>(bad.as_bytes()).unwrap_err().code;
            assert!(matches!(code, ErrorCode::BadRequest | ErrorCode::ValidationFailed), "{bad}");
        }
        assert_eq!(json::<TokenRequest>(b"{").unwrap_err().code, ErrorCode::BadRequest);
        assert_eq!(json::<PageQuery>(b"{} {}").unwrap_err().code, ErrorCode::BadRequest);
    }

    #[tokio::test]
    async fn an_unknown_name_in_the_query_is_refused_and_named() {
        let ask = async |query: &str| {
            let uri = format!("/x?{query}");
            let (mut parts, ()) = axum::http::Request::get(uri).body(()).unwrap().into_parts();
            Query::<PageQuery>::from_request_parts(&mut parts, &()).await
        };
        assert_eq!(ask("limit=7").await.unwrap().0.limit, Some(7));
        let failure = ask("limit=many").await.unwrap_err();
        assert_eq!((failure.code, failure.details[0].field.as_str()), (ErrorCode::BadRequest, "limit"));
        assert_eq!(ask("limits=7").await.unwrap_err().code, ErrorCode::BadRequest);
    }
}
