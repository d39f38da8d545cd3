//! The service, as commands use it: where it is, who asks, and what its answers look like on a terminal.

pub(crate) mod board;
pub(crate) mod columns;
pub(crate) mod credentials;
mod json;
pub(crate) mod live;
mod plot;
pub(crate) mod prompt;
pub(crate) mod submission;

use std::env;
use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

use thimble_api::page::PageQuery;
use thimble_client::{Answer, Client, ClientError, Kind, Patience, Server, Token, Waiter, Why, lines};

use crate::exit::{ExitStatus, Failure};
use crate::output;
use crate::remote::credentials::{Credentials, Place};

/// The variable that says where the service is.
const SERVER: &str = "THIMBLE_SERVER";
/// The variable that holds a token, in place of a login.
const TOKEN: &str = "THIMBLE_TOKEN";

/// What help texts say of the environment.
pub(crate) const ENVIRONMENT: &str = "\
Environment:
  THIMBLE_SERVER  Address of the service, where --server is not given
  THIMBLE_TOKEN   The token, in place of the one that `thimble login` saved";

/// Where the service is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServiceOpts {
    /// Address of the service [default: THIMBLE_SERVER, or where you are logged in]
    #[arg(long, value_name = "URL")]
    server: Option<Server>,
}

/// Which part of a list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PageOpts {
    /// From where the part before ended (it says so)
    #[arg(long, value_name = "WHERE")]
    after: Option<String>,
    /// At most so many, 1 to 200
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: Option<u32>,
}

impl PageOpts {
    pub(crate) fn query(&self) -> PageQuery {
        PageQuery { after: self.after.clone(), limit: self.limit }
    }

    pub(crate) fn after(&self) -> Option<String> {
        self.after.clone()
    }

    pub(crate) const fn limit(&self) -> Option<u32> {
        self.limit
    }
}

impl ServiceOpts {
    /// A client with the token that belongs to the address, if there is one.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let saved = Place::of_user().load()?;
        let server = self.server(saved.as_ref())?;
        let client = anonymous(server);
        Ok(match token(client.server(), saved)? {
            Some(token) => client.with_token(token),
            None => client,
        })
    }

    /// A client for work that is worth five minutes of a service's restart.
    pub(crate) fn patient_client(&self) -> Result<Client, Failure> {
        Ok(self.client()?.with_patience(Patience(Duration::from_secs(300))))
    }

    /// The address: the option, the variable, the login.
    pub(crate) fn server(&self, saved: Option<&Credentials>) -> Result<Server, Failure> {
        if let Some(server) = &self.server {
            return Ok(server.clone());
        }
        if let Some(text) = variable(SERVER)? {
            return text.parse().map_err(|error| Failure::usage(format!("{SERVER}: {error}")));
        }
        saved.map(|saved| saved.server.clone()).ok_or_else(|| {
            Failure::usage(format!(
                "name the service: --server URL, or {SERVER}, or log in: `thimble login --server URL`"
            ))
        })
    }
}

/// A client without a token that says what it waits for.
pub(crate) fn anonymous(server: Server) -> Client {
    Client::new(server).with_waiter(Box::new(Narrator))
}

/// The token for `server`: the variable's, or the login's where it was made there. A saved token goes nowhere else.
pub(crate) fn token(server: &Server, saved: Option<Credentials>) -> Result<Option<Token>, Failure> {
    match variable(TOKEN)? {
        Some(text) => text.parse().map(Some).map_err(|error| Failure::usage(format!("{TOKEN}: {error}"))),
        None => Ok(saved.filter(|saved| saved.server == *server).map(|saved| saved.token)),
    }
}

/// Whether the variable decides whose token is used.
pub(crate) fn has_token_variable() -> Result<bool, Failure> {
    Ok(variable(TOKEN)?.is_some())
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(Some(value)),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::usage(format!("{name} is not UTF-8"))),
        _ => Ok(None),
    }
}

/// Says why it waits, on stderr, and waits.
#[derive(Debug)]
struct Narrator;

impl Waiter for Narrator {
    fn wait(&self, duration: Duration, why: &Why<'_>) {
        if let Why::Retry { error, .. } = why {
            let reason = error.to_string();
            let reason = reason.lines().next().unwrap_or_default();
            output::note(&format!("{reason}; again in {:.0} s", duration.as_secs_f64().ceil()));
        }
        std::thread::sleep(duration);
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match error.kind() {
            Kind::Request => ExitStatus::Input,
            Kind::Access => ExitStatus::Access,
            Kind::Service => ExitStatus::Service,
            Kind::Limit => ExitStatus::Limit,
        };
        // The text names its cause.
        Self { status, error: anyhow::Error::msg(error.to_string()) }
    }
}

/// Prints an answer: as it came, or as `text` says it.
pub(crate) fn show<T>(answer: &Answer<T>, json: bool, text: impl FnOnce(&T) -> String) -> Result<ExitStatus, Failure> {
    if json {
        print_json(&answer.json)?
    } else {
        print_text(&text(&answer.value))?
    }
    Ok(ExitStatus::Success)
}

/// Prints JSON of the service, indented.
pub(crate) fn print_json(json: &str) -> Result<(), Failure> {
    output::print(&json::pretty(json))
}

/// Prints text with parts that the service wrote.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    output::print(&lines(text))
}

/// The width of the terminal that stdout is; none where it is no terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = stdout();
    if !stdout.is_terminal() {
        return None;
    }
    rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// The line below a part of a list: how to get the next.
pub(crate) fn more(next: Option<&str>) -> String {
    next.map(|next| format!("more: --after {}\n", thimble_client::line(next))).unwrap_or_default()
}
