//! Committed files that are made from something else: the JSON Schema of an exploration.
//! `BLESS=1 cargo test -p thimble-explore --test generated` rewrites it.

use std::fs;
use std::path::Path;

use thimble_explore::Exploration;

#[test]
fn the_schema_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exploration.schema.json");
    let (found, expected) = (fs::read_to_string(&file).unwrap_or_default(), Exploration::schema());
    // What is current is not written again: other tests may be reading it.
    if found != expected && std::env::var_os("BLESS").is_some() {
        fs::write(&file, expected).expect("writable");
        return;
    }
    assert!(found == expected, "docs/exploration.schema.json is not current: run with BLESS=1");
}
