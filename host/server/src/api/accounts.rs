//! `/whoami`, `/tokens`, `/join`, and operators' accounts and tokens.

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use axum::extract::State;
use axum::response::NoContent;
use thimble_api::Page;
use thimble_api::account::{JoinRequest, Joined, NewToken, TokenRequest, TokenView, Whoami};
use thimble_api::operator::AccountView;
use thimble_api::page::PageQuery;

use super::describe::named;
use super::{NamedAccount, Prefixed};
use crate::answer::{Answer, Made};
use crate::auth::{Builder, Caller, Operator};
use crate::extract::{Json, Path, Query};
use crate::failure::Result;
use crate::operations::{accounts, running};
use crate::service::Service;

pub(super) fn router() -> ApiRouter<Service> {
    let (tag, of_operator) = ("accounts", "accounts");
    ApiRouter::new()
        .api_route("/whoami", get_with(whoami, named("whoami", tag, "Who the token belongs to")))
        .api_route("/tokens/rotate", post_with(rotate, named("rotateToken", tag, "Another secret for this token")))
        .api_route("/tokens/revoke", post_with(revoke, named("revokeToken", tag, "End this token")))
        .api_route("/join", post_with(join, named("join", tag, "Accept an invitation")))
        .api_route(
            "/operator/tokens",
            get_with(tokens, named("listTokens", of_operator, "All tokens, newest first")).post_with(
                create_token,
                named("createToken", of_operator, "A token, and an account where there is none"),
            ),
        )
        .api_route("/operator/tokens/{prefix}", delete_with(end_token, named("endToken", of_operator, "End a token")))
        .api_route("/operator/accounts", get_with(list, named("listAccounts", of_operator, "All accounts, by name")))
        .api_route(
            "/operator/accounts/{name}/disable",
            post_with(disable, named("disableAccount", of_operator, "Let an account do nothing any more")),
        )
        .api_route(
            "/operator/accounts/{name}/enable",
            post_with(enable, named("enableAccount", of_operator, "Let a disabled account act again")),
        )
}

async fn whoami(Builder(identity): Builder) -> Result<Answer<Whoami>> {
    Answer::of(&accounts::whoami(&identity))
}

async fn rotate(State(service): State<Service>, Builder(identity): Builder) -> Result<Answer<NewToken>> {
    Answer::of(&accounts::rotate(&service, &identity).await?)
}

async fn revoke(State(service): State<Service>, Builder(identity): Builder) -> Result<NoContent> {
    accounts::revoke(&service, &identity, &identity.principal.token_prefix).await?;
    Ok(NoContent)
}

async fn join(
    State(service): State<Service>,
    caller: Caller,
    Json(request): Json<JoinRequest>,
) -> Result<Answer<Joined>> {
    Answer::of(&accounts::join(&service, &caller, &request).await?)
}

async fn tokens(
    State(service): State<Service>,
    Operator(_): Operator,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Answer<Page<TokenView>>> {
    Answer::of(&service.store.tokens(after.as_deref(), limit).await?)
}

async fn create_token(
    State(service): State<Service>,
    Operator(identity): Operator,
    Json(request): Json<TokenRequest>,
) -> Result<Made<NewToken, 201>> {
    Made::of(&accounts::create(&service, &identity, &request).await?)
}

async fn end_token(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Prefixed { prefix }): Path<Prefixed>,
) -> Result<NoContent> {
    accounts::revoke(&service, &identity, &prefix).await?;
    Ok(NoContent)
}

async fn list(
    State(service): State<Service>,
    Operator(_): Operator,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Answer<Page<AccountView>>> {
    Answer::of(&service.store.accounts(after.as_deref(), limit).await?)
}

async fn disable(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(NamedAccount { name }): Path<NamedAccount>,
) -> Result<Answer<AccountView>> {
    Answer::of(&running::set_disabled(&service, &identity, &name, true).await?)
}

async fn enable(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(NamedAccount { name }): Path<NamedAccount>,
) -> Result<Answer<AccountView>> {
    Answer::of(&running::set_disabled(&service, &identity, &name, false).await?)
}
