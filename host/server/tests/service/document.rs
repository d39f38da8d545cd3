//! The served description of the interface. `BLESS=1 cargo test -p thimble-server --test service document` rewrites the file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::world::World;

fn document() -> Value {
    serde_json::from_str(&thimble_server::openapi()).unwrap()
}

#[test]
fn the_document_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let (found, expected) = (fs::read_to_string(&file).unwrap_or_default(), thimble_server::openapi());
    // What is current is not written again: other tests may be reading it.
    if found != expected && std::env::var_os("BLESS").is_some() {
        fs::write(&file, expected).unwrap();
        return;
    }
    assert!(found == expected, "docs/openapi.json is not current: run with BLESS=1");
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let world = World::new().await;
    let served = world.get("/api/openapi.json", None).await.expect(200);
    assert_eq!(served.text(), thimble_server::openapi());
    assert_eq!(served.header("content-type"), "application/json");
}

#[test]
fn every_operation_has_its_id_its_summary_and_the_shape_of_errors() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id}");
            let schema = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/ErrorEnvelope", "{id}");
            let named: BTreeSet<_> = path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let described: BTreeSet<_> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(named, described, "{id}");
            assert!(operation["security"].is_array(), "{id} does not say who may ask");
        }
    }
    assert!(ids.len() > 45, "{}", ids.len());
}

/// Every reference of the document leads somewhere in it.
#[test]
fn references_lead_somewhere() {
    fn visit(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(target) if name == "$ref" => drop(found.insert(target.clone())),
                        other => visit(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    visit(&document, &mut found);
    assert!(!found.is_empty());
    for target in found {
        let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
}
