//! Who asks, how they prove it, and how often they may.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thimble_api::account::Scope;
use thimble_api::{ErrorCode, Timestamp};
use thimble_store::{Actor, Principal, Store, StoreError};

use crate::cache::{Cache, Loaded};
use crate::failure::{Failure, Result};
use crate::rate::Network;
use crate::service::Service;

/// The session's cookie.
const SESSION: &str = "thimble_session";
/// How long what the store said of a secret is believed: so long a revoked token still works.
const BELIEVED: Duration = Duration::from_secs(1);
/// Secrets that are remembered at most.
const MOST_SECRETS: usize = 20_000;
/// The longest secret that is looked at.
const MOST_SECRET_BYTES: usize = 128;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const BEARER: &str = "bearer";

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) principal: Arc<Principal>,
    /// What the session's forms send back; none for a bearer token.
    pub(crate) csrf: Option<Arc<str>>,
}

impl Identity {
    pub(crate) fn is_operator(&self) -> bool {
        self.principal.scope == Scope::Operator
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::Account { account: self.principal.account.clone() }
    }
}

/// Who asks, if they said so, and from where.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) identity: Option<Identity>,
    pub(crate) address: Network,
}

impl Caller {
    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.identity.as_ref().map(|identity| &*identity.principal)
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_operator)
    }
}

/// Someone who is known, wherever they ask from.
impl From<&Identity> for Caller {
    fn from(identity: &Identity) -> Self {
        Self { identity: Some(identity.clone()), address: IpAddr::V4(Ipv4Addr::UNSPECIFIED).into() }
    }
}

/// What the store said of secrets, for a second. Keyed by their SHA-256: no secret is kept.
#[derive(Debug)]
pub(crate) struct Sessions {
    tokens: Cache<[u8; 32], Option<Identity>>,
    sessions: Cache<[u8; 32], Option<Identity>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        let cache = || Cache::new(MOST_SECRETS, usize::MAX);
        Self { tokens: cache(), sessions: cache() }
    }

    async fn token(&self, store: &Store, secret: &str) -> Result<Option<Identity>> {
        let load = async |_| {
            let principal = store.authenticate(secret, Timestamp::now()).await?;
            let value = principal.map(|principal| Identity { principal: Arc::new(principal), csrf: None });
            Ok::<_, StoreError>(Loaded { value, ttl: BELIEVED, weight: 1 })
        };
        Ok(self.tokens.get_or_load(&key(secret), load).await?)
    }

    async fn session(&self, store: &Store, secret: &str) -> Result<Option<Identity>> {
        let load = async |_| {
            let found = store.session(secret, Timestamp::now()).await?;
            let value =
                found.map(|(principal, csrf)| Identity { principal: Arc::new(principal), csrf: Some(csrf.into()) });
            Ok::<_, StoreError>(Loaded { value, ttl: BELIEVED, weight: 1 })
        };
        Ok(self.sessions.get_or_load(&key(secret), load).await?)
    }

    /// After tokens or accounts changed: everyone is looked up again.
    pub(crate) fn clear(&self) {
        self.tokens.clear();
        self.sessions.clear();
    }

    /// A secret that has ended here is not believed any longer.
    pub(crate) fn forget(&self, secret: &str) {
        self.tokens.forget(&key(secret));
        self.sessions.forget(&key(secret));
    }
}

fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Around everything but the process's own addresses: finds out who asks and counts the request.
pub(crate) async fn access(State(service): State<Service>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match identify(&service, &parts).await {
        Ok((caller, stale)) => {
            parts.extensions.insert(caller.clone());
            let mut response = next.run(Request::from_parts(parts, body)).await;
            if response.status().is_client_error() || response.status().is_server_error() {
                // A page of an error is of whoever looks at it.
                response.extensions_mut().insert(caller);
            }
            if stale && !response.headers().contains_key(SET_COOKIE) {
                response.headers_mut().insert(SET_COOKIE, ended_cookie());
            }
            response
        }
        Err(failure) => {
            if failure.code == ErrorCode::RateLimited {
                service.metrics.limited.inc();
            }
            failure.into_response()
        }
    }
}

/// Who asks; and whether their session has ended, so that its cookie can go.
async fn identify(service: &Service, request: &Parts) -> Result<(Caller, bool)> {
    let headers = &request.headers;
    let address = address(service, request);
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let programs = request.uri.path().starts_with("/api/");
    let mut stale = false;
    let identity = match bearer(headers)? {
        Some(secret) => {
            let known = service.sessions.token(&service.store, secret).await?;
            Some(known.ok_or_else(|| failed(service, address))?)
        }
        // What a browser sends by itself changes nothing through the interface for programs: forms have a token against that.
        None if programs && !reads => None,
        None => match cookie(headers) {
            None => None,
            Some(secret) => {
                let known = service.sessions.session(&service.store, secret).await?;
                if known.is_none() {
                    let failure = failed(service, address);
                    if programs || failure.code == ErrorCode::RateLimited {
                        return Err(failure);
                    }
                    stale = true;
                }
                known
            }
        },
    };
    let token = identity.as_ref().map(|identity| identity.principal.token_id);
    service.limits.request(token, address, !reads)?;
    Ok((Caller { identity, address }, stale))
}

/// Counts a secret that is not valid: 401, and 429 once there were too many.
pub(crate) fn failed(service: &Service, address: Network) -> Failure {
    service.metrics.failed_authentications.inc();
    service.limits.failed_authentication(address).err().unwrap_or_else(Failure::unauthorized)
}

/// Where a request comes from.
fn address(service: &Service, request: &Parts) -> Network {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let forwarded = || -> Option<IpAddr> {
        let last = request.headers.get_all(FORWARDED_FOR).iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    let forwarded = if service.config.trusted_proxy { forwarded() } else { None };
    forwarded.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).into()
}

/// The bearer token; a header that has another form is no token that is valid.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let secret = value.to_str().ok().and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        let plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
        (scheme.eq_ignore_ascii_case(BEARER) && plain && secret.len() <= MOST_SECRET_BYTES).then_some(secret)
    });
    match secret {
        Some(secret) if values.next().is_none() => Ok(Some(secret)),
        _ => Err(Failure::unauthorized()),
    }
}

/// The session's secret.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == SESSION);
    let (_, secret) = values.next()?;
    (!secret.is_empty() && secret.len() <= MOST_SECRET_BYTES).then_some(secret)
}

/// Sets the session's cookie. `Secure` unless the service is addressed on this machine, where there is no TLS.
pub(crate) fn session_cookie(secret: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    let secure = if is_loopback(headers) { "" } else { "; Secure" };
    HeaderValue::from_str(&format!("{SESSION}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}")).ok()
}

/// Takes the session's cookie away.
pub(crate) const fn ended_cookie() -> HeaderValue {
    HeaderValue::from_static("thimble_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

pub(crate) fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses a form that another site has sent: by what the browser says of where it comes from.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<()> {
    let refused = || {
        Err(Failure::new(
            ErrorCode::Forbidden,
            "this form was sent by another site: open the page here and send it again",
        ))
    };
    if let Some(site) = headers.get(FETCH_SITE) {
        return if site == "same-origin" { Ok(()) } else { refused() };
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if origin.is_some() && origin == host { Ok(()) } else { refused() }
}

/// Refuses a form without its session's token.
pub(crate) fn check_csrf(identity: &Identity, given: &str) -> Result<()> {
    let same = identity.csrf.as_ref().is_some_and(|csrf| bool::from(csrf.as_bytes().ct_eq(given.as_bytes())));
    if same {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::Forbidden, "this form is from another session: open the page again and send it again"))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let nobody = Self { identity: None, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED).into() };
        Ok(parts.extensions.get().cloned().unwrap_or(nobody))
    }
}

/// Someone who is known.
#[derive(Debug, Clone)]
pub(crate) struct Builder(pub(crate) Identity);

impl<S: Sync> FromRequestParts<S> for Builder {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let caller = parts.extensions.get::<Caller>();
        caller.and_then(|caller| caller.identity.clone()).map(Self).ok_or_else(Failure::unauthorized)
    }
}

/// Someone who runs challenges.
#[derive(Debug, Clone)]
pub(crate) struct Operator(pub(crate) Identity);

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Builder(identity) = Builder::from_request_parts(parts, state).await?;
        if identity.is_operator() { Ok(Self(identity)) } else { Err(Failure::forbidden()) }
    }
}

/// The name of the scheme in the document.
pub(crate) const SCHEME: &str = "token";

fn secure(operation: &mut Operation, optional: bool) {
    let anonymous = optional.then(Default::default);
    let token = [(SCHEME.to_owned(), Vec::new())].into_iter().collect();
    operation.security = anonymous.into_iter().chain([token]).collect();
}

impl OperationInput for Caller {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        secure(operation, true);
    }
}

impl OperationInput for Builder {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        secure(operation, false);
    }
}

impl OperationInput for Operator {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        secure(operation, false);
        operation.tags.push("operator".to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_header_that_is_no_bearer_token_is_not_nobody() {
        assert_eq!(bearer(&HeaderMap::new()).unwrap(), None);
        assert_eq!(bearer(&headers(&[(AUTHORIZATION, "Bearer thb_1")])).unwrap(), Some("thb_1"));
        assert_eq!(bearer(&headers(&[(AUTHORIZATION, "bearer thb_1")])).unwrap(), Some("thb_1"));
        for bad in ["", "Bearer", "Bearer a b", "Basic thb_1", "thb_1", "Bearer  thb_1"] {
            assert!(bearer(&headers(&[(AUTHORIZATION, bad)])).is_err(), "{bad}");
        }
        let long = HeaderValue::from_str(&format!("Bearer {}", "a".repeat(MOST_SECRET_BYTES + 1))).unwrap();
        assert!(bearer(&HeaderMap::from_iter([(AUTHORIZATION, long)])).is_err());
        let mut two = headers(&[(AUTHORIZATION, "Bearer thb_1")]);
        two.append(AUTHORIZATION, HeaderValue::from_static("Bearer thb_2"));
        assert!(bearer(&two).is_err());
    }

    #[test]
    fn the_cookie_is_found_among_others_and_only_by_its_name() {
        assert_eq!(cookie(&headers(&[(COOKIE, "a=b; thimble_session=ths_1; c=d")])), Some("ths_1"));
        assert_eq!(cookie(&headers(&[(COOKIE, "xthimble_session=ths_1; thimble_session=")])), None);
    }

    #[test]
    fn cookies_need_tls_except_on_this_machine() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
            let host = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert!(!session_cookie("s", &host).unwrap().to_str().unwrap().contains("Secure"));
        }
        for host in ["example.org", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1"] {
            let host = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert!(session_cookie("s", &host).unwrap().to_str().unwrap().contains("Secure"));
        }
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        let from = |pairs: &[_]| check_origin(&headers(pairs)).is_ok();
        assert!(from(&[(HOST, "a.example"), (ORIGIN, "https://a.example")]));
        assert!(from(&[(HOST, "a.example"), (FETCH_SITE, "same-origin"), (ORIGIN, "https://a.example")]));
        assert!(from(&[(HOST, "a.example")]));
        assert!(!from(&[(HOST, "a.example"), (ORIGIN, "https://b.example")]));
        assert!(!from(&[(HOST, "a.example"), (ORIGIN, "null")]));
        assert!(!from(&[(ORIGIN, "https://a.example")]));
        for site in ["cross-site", "same-site", "none"] {
            let site = HeaderValue::from_static(site);
            assert!(check_origin(&HeaderMap::from_iter([(FETCH_SITE, site)])).is_err());
        }
    }
}
