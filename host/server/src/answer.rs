//! Answers whose bytes are made once, with their entity tag.

use std::marker::PhantomData;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described, StatusCode as DescribedStatus};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::failure::{Failure, Result};

/// Bytes to send, of a type, with their strong entity tag. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
    content_type: HeaderValue,
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

impl Prepared {
    pub(crate) fn new(bytes: impl Into<Bytes>, content_type: HeaderValue) -> Self {
        let bytes = bytes.into();
        let digest = Sha256::digest(&bytes);
        let tag = format!("\"{}\"", hex::encode(digest.get(..16).unwrap_or_default()));
        // Hexadecimal digits in quotes are a header value.
        let etag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, etag, content_type }
    }

    pub(crate) fn json<T: Serialize>(value: &T) -> Result<Self> {
        serde_json::to_vec(value).map(|bytes| Self::new(bytes, JSON)).map_err(Failure::internal)
    }

    pub(crate) fn html(html: String) -> Self {
        Self::new(html, HTML)
    }

    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + 256
    }
}

impl IntoResponse for Prepared {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.bytes));
        response.headers_mut().insert(CONTENT_TYPE, self.content_type);
        response.headers_mut().insert(ETAG, self.etag);
        response
    }
}

impl OperationOutput for Prepared {
    type Inner = String;
}

/// A `T` as JSON.
#[derive(Debug, Clone)]
pub(crate) struct Answer<T> {
    prepared: Prepared,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize> Answer<T> {
    pub(crate) fn of(value: &T) -> Result<Self> {
        Prepared::json(value).map(Self::from)
    }
}

impl<T> Answer<T> {
    /// The beginning of the entity tag, without quotes.
    pub(crate) fn short_tag(&self) -> String {
        self.prepared.etag.as_bytes().iter().skip(1).take(8).map(|&byte| char::from(byte)).collect()
    }

    /// With an entity tag of the caller's: quotes are added.
    pub(crate) fn tagged(mut self, tag: &str) -> Self {
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
            self.prepared.etag = etag;
        }
        self
    }
}

impl<T> From<Prepared> for Answer<T> {
    fn from(prepared: Prepared) -> Self {
        Self { prepared, kind: PhantomData }
    }
}

impl<T> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        self.prepared.into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Answer<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        axum::Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<DescribedStatus>, Described)> {
        axum::Json::<T>::inferred_responses(context, operation)
    }
}

/// A `T` as JSON, with a status that says that something was made.
#[derive(Debug)]
pub(crate) struct Made<T, const STATUS: u16> {
    answer: Answer<T>,
    status: StatusCode,
    location: Option<HeaderValue>,
}

impl<T: Serialize, const STATUS: u16> Made<T, STATUS> {
    pub(crate) fn of(value: &T) -> Result<Self> {
        let status = StatusCode::from_u16(STATUS).map_err(Failure::internal)?;
        Ok(Self { answer: Answer::of(value)?, status, location: None })
    }

    pub(crate) fn at(mut self, address: &str) -> Self {
        self.location = HeaderValue::from_str(address).ok();
        self
    }

    /// It was there before.
    pub(crate) fn repeated(mut self, repeated: bool) -> Self {
        if repeated {
            self.status = StatusCode::OK;
        }
        self
    }
}

impl<T, const STATUS: u16> IntoResponse for Made<T, STATUS> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        *response.status_mut() = self.status;
        if let Some(location) = self.location {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

impl<T: JsonSchema, const STATUS: u16> OperationOutput for Made<T, STATUS> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        axum::Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<DescribedStatus>, Described)> {
        let described = Self::operation_response(context, operation);
        described.map(|described| (Some(DescribedStatus::Code(STATUS)), described)).into_iter().collect()
    }
}
