//! From the text of a core module to a component of the world `solution`.

use anyhow::Context as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// The contract, as the repository publishes it.
pub const CONTRACT: &str = include_str!("../../wit/thimble.wit");

/// Encodes a core module with the imports and exports of the world `solution` (canonical ABI names) as a component.
///
/// # Errors
/// When the text is not WebAssembly, or its imports and exports are not those of the world.
pub fn component(core_wat: &str) -> anyhow::Result<Vec<u8>> {
    let module = wat::parse_str(core_wat).context("the core module's text")?;
    encode(module, CONTRACT)
}

/// Encodes a binary core module against the contract `wit`, whose world must be named `solution`.
///
/// # Errors
/// When `wit` does not parse, or the module's imports and exports are not those of its world.
pub fn encode(mut module: Vec<u8>, wit: &str) -> anyhow::Result<Vec<u8>> {
    let (resolve, world) = resolve(wit)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    // Not validated here: whether the features it uses are allowed is for admission to say.
    ComponentEncoder::default().validate(false).module(&module)?.encode()
}

fn resolve(wit: &str) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("thimble.wit", wit)?;
    let world = resolve.select_world(&[package], Some("solution"))?;
    Ok((resolve, world))
}
