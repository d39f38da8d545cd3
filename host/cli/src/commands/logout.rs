//! `thimble logout`

use crate::exit::{ExitStatus, Failure};
use crate::output;
use crate::remote::anonymous;
use crate::remote::credentials::Place;

/// Forget the saved login.
///
/// The token itself goes on: --revoke ends it at the service first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble logout --revoke")]
pub(crate) struct Opts {
    /// End the token at the service
    #[arg(long)]
    revoke: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let place = Place::of_user();
        if self.revoke {
            let Some(saved) = place.load()? else {
                return Err(Failure::usage("there is no login, and so no token to end"));
            };
            anonymous(saved.server).with_token(saved.token).revoke()?;
        }
        let text = if place.forget()? { "logged out\n" } else { "there was no login\n" };
        output::print(text)?;
        Ok(ExitStatus::Success)
    }
}
