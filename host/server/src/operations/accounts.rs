//! Tokens, sessions, invitations accepted.

use thimble_api::account::{JoinRequest, Joined, NewToken, TokenRequest, Whoami};
use thimble_api::{ErrorCode, Timestamp};
use thimble_store::{Refusal, RefusedOr};

use crate::auth::{self, Caller, Identity};
use crate::failure::{Failure, Result};
use crate::service::Service;

/// Who a token belongs to.
pub(crate) fn whoami(identity: &Identity) -> Whoami {
    let principal = &identity.principal;
    Whoami {
        account: principal.account.clone(),
        team: principal.team.clone(),
        scope: principal.scope,
        expires_at: principal.expires_at,
    }
}

/// Another secret for the calling token.
pub(crate) async fn rotate(service: &Service, identity: &Identity) -> Result<NewToken> {
    let new = service.store.rotate_token(&identity.principal, Timestamp::now()).await?;
    service.sessions.clear();
    Ok(new)
}

/// Ends a token.
pub(crate) async fn revoke(service: &Service, identity: &Identity, prefix: &str) -> Result<()> {
    let known = service.store.revoke_token(prefix, &identity.actor(), Timestamp::now()).await?;
    service.sessions.clear();
    if known { Ok(()) } else { Err(Failure::not_found()) }
}

/// A token for an account, which is made where there is none.
pub(crate) async fn create(service: &Service, identity: &Identity, request: &TokenRequest) -> Result<NewToken> {
    Ok(service.store.create_token(request, &identity.actor(), Timestamp::now()).await?)
}

/// Accepts an invitation. A code that is none counts as a secret that is not valid.
pub(crate) async fn join(service: &Service, caller: &Caller, request: &JoinRequest) -> Result<Joined> {
    let joined = service.store.join(request, caller.principal(), Timestamp::now()).await;
    match joined {
        Ok(joined) => {
            if let Some(row) = service.store.challenge(&joined.challenge).await?
                && let Some(principal) = caller.principal()
            {
                service.catalog.forget_membership(row.id, principal.account_id);
            }
            Ok(joined)
        }
        Err(RefusedOr::Refused(refusal)) => {
            // Its own text: what is said of a code is for whoever has it.
            let Refusal { code, message, details, retry_after_seconds } = refusal;
            let failure = Failure { code, message, details, retry_after_seconds, cause: None };
            if failure.code == ErrorCode::NotFound {
                let counted = auth::failed(service, caller.address);
                if counted.code == ErrorCode::RateLimited {
                    return Err(counted);
                }
            }
            Err(failure)
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens a session with a bearer token: the secret of its cookie.
pub(crate) async fn sign_in(service: &Service, caller: &Caller, token: &str) -> Result<String> {
    let now = Timestamp::now();
    let Some(principal) = service.store.authenticate(token, now).await? else {
        return Err(auth::failed(service, caller.address));
    };
    Ok(service.store.open_session(&principal, now).await?.secret.expose().to_owned())
}

/// Ends a session.
pub(crate) async fn sign_out(service: &Service, secret: &str) -> Result<()> {
    service.store.close_session(secret).await?;
    service.sessions.forget(secret);
    Ok(())
}
