//! `thimble login`

use thimble_api::account::{JoinRequest, Joined, Whoami};
use thimble_api::{AccountName, TeamName};
use thimble_client::{Client, Server, Token};

use crate::exit::{ExitStatus, Failure};
use crate::output;
use crate::remote::credentials::{Credentials, Place};
use crate::remote::submission::time;
use crate::remote::{ServiceOpts, anonymous, has_token_variable, print_text, prompt, token};

/// Log in to a service with a token or an invitation, read from standard input.
///
/// On a terminal the secret is asked for, and not shown. It is kept in $XDG_CONFIG_HOME/thimble/credentials.json
/// (~/.config/thimble), which only you can read, and sent to this service alone: over https, or to this machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # With a token from the operator
  thimble login --server https://thimble.example.org < token.txt

  # With an invitation, for a new account
  thimble login --server https://thimble.example.org --invite --account ada --team engines

  # With an invitation to another challenge, for the account that is logged in
  thimble login --invite

  # Replace the token by a new one; the old one ends
  thimble login --rotate")]
pub(crate) struct Opts {
    #[command(flatten)]
    service: ServiceOpts,
    /// Read an invitation's code, and accept it
    #[arg(long)]
    invite: bool,
    /// With --invite: name of the new account [default: the account that is logged in]
    #[arg(long, value_name = "NAME", requires = "invite")]
    account: Option<AccountName>,
    /// With --account: its team [default: one of the account's own name]
    #[arg(long, value_name = "NAME", requires = "account")]
    team: Option<TeamName>,
    /// Replace the saved token by a new one
    #[arg(long, conflicts_with = "invite")]
    rotate: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let place = Place::of_user();
        // A login that cannot be read any more is replaced.
        let saved = if self.invite || self.rotate { place.load()? } else { place.load().unwrap_or_default() };
        let server = self.service.server(saved.as_ref())?;
        if !server.may_hear_secrets() {
            return Err(Failure::usage(format!(
                "{server} is not encrypted and not this machine: use its https:// address"
            )));
        }
        // A secret that is shown once must have a place to stay.
        place.prepare()?;
        match (self.invite, self.rotate) {
            (true, _) => self.join(&place, server, saved),
            (_, true) => rotate(&place, server, saved),
            _ => {
                let token = prompt::secret("token")?;
                let (credentials, who) = check(server, token)?;
                save(&place, &credentials, &who)
            }
        }
    }

    fn join(&self, place: &Place, server: Server, saved: Option<Credentials>) -> Result<ExitStatus, Failure> {
        let own = if self.account.is_some() { None } else { token(&server, saved)? };
        if own.is_none() && self.account.is_none() {
            return Err(Failure::usage(format!(
                "nobody is logged in to {server}: name the new account with --account, or log in first and repeat"
            )));
        }
        let code = prompt::secret("invitation")?;
        let request =
            JoinRequest { code: code.expose().to_owned(), account: self.account.clone(), team: self.team.clone() };
        let client = anonymous(server.clone());
        let client = match own {
            Some(token) => client.with_token(token),
            None => client,
        };
        let Joined { challenge, token } = client.join(&request)?.value;
        print_text(&format!("invited to  {challenge}: {}\n", server.page(&format!("/challenges/{challenge}"))))?;
        match token {
            None => Ok(ExitStatus::Success),
            Some(new) => {
                let credentials =
                    Credentials { server, account: new.token.account.clone(), token: parsed(&new.secret)? };
                // Saved before anything else can fail: it is not shown again.
                place.save(&credentials)?;
                let (_, who) = check(credentials.server.clone(), credentials.token.clone())?;
                save(place, &credentials, &who)
            }
        }
    }
}

/// Replaces the saved token.
fn rotate(place: &Place, server: Server, saved: Option<Credentials>) -> Result<ExitStatus, Failure> {
    if has_token_variable()? {
        return Err(Failure::usage(
            "THIMBLE_TOKEN is set: --rotate replaces a saved token, not one that is kept elsewhere",
        ));
    }
    let Some(saved) = saved.filter(|saved| saved.server == server) else {
        return Err(Failure::usage(format!("nobody is logged in to {server}")));
    };
    let new = client(server, saved.token).rotate()?.value;
    let credentials = Credentials { token: parsed(&new.secret)?, ..saved };
    place.save(&credentials)?;
    let until = new.token.expires_at.map_or("never ends".to_owned(), |at| format!("ends {}", time(at)));
    output::print(&format!("token replaced; the new one {until}\n"))?;
    Ok(ExitStatus::Success)
}

fn client(server: Server, token: Token) -> Client {
    anonymous(server).with_token(token)
}

fn parsed(secret: &str) -> Result<Token, Failure> {
    // Of a service that is not ours: nothing is known of what it sends.
    secret
        .parse()
        .map_err(|error| Failure::from_service(format!("the service sent no token that can be used: {error}")))
}

/// Whose token this is.
fn check(server: Server, token: Token) -> Result<(Credentials, Whoami), Failure> {
    let who = client(server.clone(), token.clone()).whoami()?.value;
    Ok((Credentials { server, account: who.account.clone(), token }, who))
}

fn save(place: &Place, credentials: &Credentials, who: &Whoami) -> Result<ExitStatus, Failure> {
    place.save(credentials)?;
    let path = place.shown();
    print_text(&format!("{}login       {}\n", super::whoami::text(&credentials.server, who), path.display()))?;
    if has_token_variable()? {
        output::note("THIMBLE_TOKEN is set, and goes before this login");
    }
    Ok(ExitStatus::Success)
}
