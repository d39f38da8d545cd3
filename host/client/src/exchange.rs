//! One request and its answer.

use std::io::{self, Read as _};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thimble_api::ErrorEnvelope;
use ureq::http::{HeaderMap, Response};
use ureq::unversioned::multipart::{Form, Part};
use ureq::{Body, RequestBuilder};

use crate::address::Server;
use crate::answer::Answer;
use crate::client::Client;
use crate::error::{ClientError, Refusal};

/// The longest answer that is read: the largest page of the API is a tenth of it.
const MAX_ANSWER_BYTES: u64 = 32 << 20;
/// The longest error that is read.
const MAX_ERROR_BYTES: u64 = 1 << 20;

/// A request, before it has an address and a token.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
    payload: Payload<'a>,
    /// Happening twice, it does what it does once.
    pub(crate) repeatable: bool,
    /// The payload is a secret.
    secret: bool,
    /// There is no answer for those without an account.
    needs_token: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Debug)]
enum Payload<'a> {
    Nothing,
    Bytes { content_type: &'static str, bytes: std::borrow::Cow<'a, [u8]> },
    Package { package: &'a [u8], fields: Vec<(&'static str, &'a str)> },
}

impl<'a> Request<'a> {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let repeatable = matches!(method, Method::Get | Method::Put);
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Nothing,
            repeatable,
            secret: false,
            needs_token: true,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::Post, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::Put, path)
    }

    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::Patch, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path)
    }

    /// Anyone may ask.
    pub(crate) fn public(mut self) -> Self {
        self.needs_token = false;
        self
    }

    /// What is sent is as secret as a token.
    pub(crate) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Happening twice, it does what it does once.
    pub(crate) fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The fields of a query type that are set.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self, ClientError> {
        let value = serde_json::to_value(query).map_err(|error| ClientError::Unwritable(error.to_string()))?;
        for (name, value) in value.as_object().into_iter().flatten() {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => self.query.push((name.clone(), text.clone())),
                other => self.query.push((name.clone(), other.to_string())),
            }
        }
        Ok(self)
    }

    pub(crate) fn json(self, value: &impl Serialize) -> Result<Self, ClientError> {
        let bytes = serde_json::to_vec(value).map_err(|error| ClientError::Unwritable(error.to_string()))?;
        Ok(self.owned("application/json", bytes))
    }

    fn owned(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        self.payload = Payload::Bytes { content_type, bytes: bytes.into() };
        self
    }

    pub(crate) fn bytes(mut self, content_type: &'static str, bytes: &'a [u8]) -> Self {
        self.payload = Payload::Bytes { content_type, bytes: bytes.into() };
        self
    }

    pub(crate) fn package(mut self, package: &'a [u8], fields: Vec<(&'static str, &'a str)>) -> Self {
        self.payload = Payload::Package { package, fields };
        self
    }
}

impl Client {
    /// Sends a request once; an answer that is no success is an error.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Response<Body>, ClientError> {
        if (self.token.is_some() || request.secret) && !self.server.may_hear_secrets() {
            return Err(ClientError::NotEncrypted { server: self.server.clone() });
        }
        if request.needs_token && self.token.is_none() {
            return Err(ClientError::NoToken { server: self.server.clone() });
        }
        let response = self
            .transfer(request)
            .map_err(|error| ClientError::Unreachable { server: self.server.clone(), source: Box::new(error) })?;
        match response.status().as_u16() {
            200..300 => Ok(response),
            status @ 300..400 => Err(self.redirected(status, response.headers())),
            status => Err(self.refused(status, response)),
        }
    }

    fn transfer(&self, request: &Request<'_>) -> Result<Response<Body>, ureq::Error> {
        let address = self.server.operation(&request.path);
        match request.method {
            Method::Get => self.prepared(request, self.agent.get(address)).call(),
            Method::Delete => self.prepared(request, self.agent.delete(address)).call(),
            Method::Post => send_with(request, self.prepared(request, self.agent.post(address))),
            Method::Put => send_with(request, self.prepared(request, self.agent.put(address))),
            Method::Patch => send_with(request, self.prepared(request, self.agent.patch(address))),
        }
    }

    fn prepared<B>(&self, request: &Request<'_>, mut builder: RequestBuilder<B>) -> RequestBuilder<B> {
        for (name, value) in &request.query {
            builder = builder.query(name, value);
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = &self.token {
            builder = builder.header("authorization", format!("Bearer {}", token.expose()));
        }
        builder
    }

    fn redirected(&self, status: u16, headers: &HeaderMap) -> ClientError {
        match text_header(headers, "location") {
            Some(location) => ClientError::Redirected { server: self.server.clone(), location },
            None => self.foreign(status, headers),
        }
    }

    fn refused(&self, status: u16, response: Response<Body>) -> ClientError {
        let foreign = self.foreign(status, response.headers());
        let retry_after = foreign.retry_after();
        let envelope = read(response, MAX_ERROR_BYTES, &self.server).ok();
        match envelope.and_then(|bytes| serde_json::from_slice::<ErrorEnvelope>(&bytes).ok()) {
            Some(ErrorEnvelope { error: body }) => {
                let retry_after = body.retry_after_seconds.map(Duration::from_secs).or(retry_after);
                ClientError::Refused(Box::new(Refusal { status, body, retry_after }))
            }
            None => foreign,
        }
    }

    fn foreign(&self, status: u16, headers: &HeaderMap) -> ClientError {
        ClientError::Foreign {
            server: self.server.clone(),
            status,
            retry_after: text_header(headers, "retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
            request_id: text_header(headers, "x-request-id"),
        }
    }
}

fn send_with(
    request: &Request<'_>,
    builder: RequestBuilder<ureq::typestate::WithBody>,
) -> Result<Response<Body>, ureq::Error> {
    match &request.payload {
        Payload::Nothing => builder.send_empty(),
        Payload::Bytes { content_type, bytes } => builder.content_type(*content_type).send(&**bytes),
        Payload::Package { package, fields } => {
            let form = fields.iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
            let package = Part::bytes(package).file_name("package.zip").mime_str("application/octet-stream")?;
            builder.send(form.part("package", package))
        }
    }
}

/// An answer in JSON.
pub(crate) fn read_json<T: DeserializeOwned>(
    response: Response<Body>,
    server: &Server,
) -> Result<Answer<T>, ClientError> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let json = read_text(response, server)?;
    match serde_json::from_str(&json) {
        Ok(value) => Ok(Answer { value, json }),
        // A page of something in between, such as the login of a network.
        Err(_) if media_type(&headers).as_deref() != Some("application/json") => Err(ClientError::Foreign {
            server: server.clone(),
            status,
            retry_after: None,
            request_id: text_header(&headers, "x-request-id"),
        }),
        Err(source) => Err(ClientError::Malformed { source }),
    }
}

/// An answer in text; bytes that are not UTF-8 are replaced.
pub(crate) fn read_text(response: Response<Body>, server: &Server) -> Result<String, ClientError> {
    let bytes = read(response, MAX_ANSWER_BYTES, server)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// A body of at most `limit` bytes. Its announced length is a promise; what is read is counted.
fn read(response: Response<Body>, limit: u64, server: &Server) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    let mut reader = response.into_body().into_reader().take(limit + 1);
    let ended: io::Result<usize> = reader.read_to_end(&mut bytes);
    ended.map_err(|source| ClientError::BrokenOff { server: server.clone(), source })?;
    if bytes.len() as u64 > limit { Err(ClientError::TooLarge { limit }) } else { Ok(bytes) }
}

/// The media type without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = text_header(headers, "content-type")?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// A part of a path that comes from a command line: what is not a letter, digit or one of `-._~` is written as its bytes.
pub(crate) fn segment(what: &'static str, value: &str) -> Result<String, ClientError> {
    if value.is_empty() || value == "." || value == ".." {
        return Err(ClientError::NotAName { what, value: value.to_owned() });
    }
    let mut segment = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        let segments =
            ["accuracy@5", "a/b", "ä", "..", ".", "", "thb_1-2.3~"].map(|value| segment("figure", value).ok());
        let expected = [Some("accuracy%405"), Some("a%2Fb"), Some("%C3%A4"), None, None, None, Some("thb_1-2.3~")];
        assert_eq!(segments, expected.map(|segment| segment.map(str::to_owned)));
    }
}
