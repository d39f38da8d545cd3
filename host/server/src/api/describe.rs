//! The description of the interface, OpenAPI 3.1, made from the handlers' types.

use aide::axum::ApiRouter;
use aide::openapi::{
    HeaderStyle, Info, License, MediaType, OpenApi, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
    ReferenceOr, RequestBody, Response, Responses, SchemaObject, SecurityScheme, StatusCode,
};
use aide::transform::TransformOperation;
use schemars::{Schema, json_schema};
use thimble_api::ErrorEnvelope;

use crate::auth::SCHEME;
use crate::service::Service;

const ABOUT: &str = "Challenges, submissions, leaderboards. Every answer carries `x-request-id`; every error has the same shape, \
                     with a code that keeps its meaning. Lists come in parts: `next` of one is `after` of the following. GETs \
                     carry a strong `ETag` and answer `If-None-Match` with 304. 429 and 503 carry `Retry-After`. \
                     docs/http-api.md has the rest.";

/// The routes and their description.
pub(crate) fn described(router: ApiRouter<Service>) -> (axum::Router<Service>, String) {
    let mut api = OpenApi {
        info: Info {
            title: "Thimble".to_owned(),
            version: "1".to_owned(),
            description: Some(ABOUT.to_owned()),
            license: Some(License { name: "Apache-2.0".to_owned(), ..License::default() }),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = router.finish_api_with(&mut api, |api| {
        let scheme = SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: Some("thb_ and 64 hexadecimal digits".to_owned()),
            description: Some("Made by `thimble token create`, or by accepting an invitation.".to_owned()),
            extensions: Default::default(),
        };
        api.security_scheme(SCHEME, scheme)
            .default_response_with::<axum::Json<ErrorEnvelope>, _>(|response| response.description("An error"))
            .strip_null_from_query_params()
    });
    // The crate's types are plain data: writing them cannot fail.
    let mut text = serde_json::to_string_pretty(&api).unwrap_or_default();
    text.push('\n');
    (router, text)
}

/// Id and summary of an operation.
pub(super) fn named(
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> impl for<'t> FnOnce(TransformOperation<'t>) -> TransformOperation<'t> {
    move |operation: TransformOperation<'_>| operation.id(id).tag(tag).summary(summary)
}

/// Adds an answer of another type than JSON.
pub(super) fn answers<'t>(
    operation: TransformOperation<'t>,
    status: u16,
    kinds: &[&str],
    description: &str,
) -> TransformOperation<'t> {
    with(operation, |operation| {
        let text = kinds.iter().all(|kind| kind.starts_with("text/"));
        let content = kinds.iter().map(|kind| ((*kind).to_owned(), media(if text { string() } else { binary() })));
        let response =
            Response { description: description.to_owned(), content: content.collect(), ..Response::default() };
        let responses = operation.responses.get_or_insert_with(Responses::default);
        responses.responses.insert(StatusCode::Code(status), ReferenceOr::Item(response));
    })
}

/// Says what a body of another type than JSON must be.
pub(super) fn takes<'t>(
    operation: TransformOperation<'t>,
    content: impl IntoIterator<Item = (&'static str, Schema)>,
) -> TransformOperation<'t> {
    with(operation, |operation| {
        let content = content.into_iter().map(|(kind, schema)| (kind.to_owned(), media(schema)));
        operation.request_body = Some(ReferenceOr::Item(RequestBody {
            description: None,
            content: content.collect(),
            required: true,
            extensions: Default::default(),
        }));
    })
}

/// Adds a header that may be sent.
pub(super) fn header<'t>(
    operation: TransformOperation<'t>,
    name: &str,
    description: &str,
    schema: Schema,
) -> TransformOperation<'t> {
    with(operation, |operation| {
        let parameter_data = ParameterData {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(object(schema)),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        };
        let parameter = Parameter::Header { parameter_data, style: HeaderStyle::Simple };
        operation.parameters.push(ReferenceOr::Item(parameter));
    })
}

fn with<'t>(mut operation: TransformOperation<'t>, change: impl FnOnce(&mut Operation)) -> TransformOperation<'t> {
    change(operation.inner_mut());
    operation
}

fn object(json_schema: Schema) -> SchemaObject {
    SchemaObject { json_schema, external_docs: None, example: None }
}

fn media(schema: Schema) -> MediaType {
    MediaType { schema: Some(object(schema)), ..MediaType::default() }
}

fn string() -> Schema {
    json_schema!({ "type": "string" })
}

/// Bytes: in OpenAPI 3.1 a schema says nothing of them.
pub(super) fn binary() -> Schema {
    json_schema!({})
}
