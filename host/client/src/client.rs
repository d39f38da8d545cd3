//! The client: where it sends to, as whom, and how patient it is.

use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::config::Config;

use crate::address::Server;
use crate::answer::Answer;
use crate::error::ClientError;
use crate::exchange::{Request, read_json, read_text};
use crate::secret::Token;
use crate::wait::{Patience, Sleeper, Waiter, Why, backoff};

/// How long a host may take to be found and connected to.
const CONNECT: Duration = Duration::from_secs(15);
/// How long nothing may move on a connection. The service lets an event stream rest for 15 s at most.
const STILL: Duration = Duration::from_secs(60);

/// A client of one service.
#[derive(Debug)]
pub struct Client {
    pub(crate) agent: Agent,
    pub(crate) server: Server,
    pub(crate) token: Option<Token>,
    pub(crate) patience: Patience,
    pub(crate) waiter: Box<dyn Waiter>,
}

impl Client {
    /// A client without a token, with the default [`Patience`], that waits in silence.
    pub fn new(server: Server) -> Self {
        let config = Agent::config_builder()
            // The service's errors have bodies to be read.
            .http_status_as_error(false)
            // Nobody but the service decides where a token goes.
            .max_redirects(0)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(STILL))
            .timeout_per_write(Some(STILL))
            // A kept connection that was closed meanwhile would look like an operation that may have happened.
            .max_idle_connections(0)
            .user_agent(concat!("thimble/", env!("CARGO_PKG_VERSION")));
        // What is sent to this machine in clear text does not go over a proxy.
        let config: Config = if server.is_loopback() { config.proxy(None).build() } else { config.build() };
        Self {
            agent: config.new_agent(),
            server,
            token: None,
            patience: Patience::default(),
            waiter: Box::new(Sleeper),
        }
    }

    /// As the account of `token`.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Tells `waiter` before every wait, who then waits.
    #[must_use]
    pub fn with_waiter(mut self, waiter: Box<dyn Waiter>) -> Self {
        self.waiter = waiter;
        self
    }

    /// Waits as long as `patience` before it gives up.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Where it sends to.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Whether it has a token.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// An answer in JSON.
    pub(crate) fn answer<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Answer<T>, ClientError> {
        self.patiently(request, |client| read_json(client.send(request)?, &client.server))
    }

    /// An answer in text.
    pub(crate) fn text(&self, request: &Request<'_>) -> Result<String, ClientError> {
        self.patiently(request, |client| read_text(client.send(request)?, &client.server))
    }

    /// An answer without content.
    pub(crate) fn done(&self, request: &Request<'_>) -> Result<(), ClientError> {
        self.patiently(request, |client| client.send(request).map(|_| ()))
    }

    /// Tries until there is an answer, an error that stays, or no patience left.
    fn patiently<T>(
        &self,
        request: &Request<'_>,
        attempt: impl Fn(&Self) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut left = self.patience.0;
        let mut attempts = 0;
        loop {
            let error = match attempt(self) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = if request.repeatable { error.is_transient() } else { error.nothing_happened() };
            attempts += 1;
            let wait = backoff(attempts, error.retry_after());
            match left.checked_sub(wait) {
                Some(rest) if again => left = rest,
                _ => return Err(error),
            }
            self.waiter.wait(wait, &Why::Retry { attempt: attempts, error: &error });
        }
    }
}
