//! Writes every page into a directory, to be looked at: `cargo run -p thimble-pages --example preview -- DIR`, then serve DIR.

#![expect(clippy::unwrap_used, reason = "a tool of developers stops where it stands")]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::path::PathBuf;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let directory = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "pages".into()));
    fs::create_dir_all(directory.join("static"))?;
    for asset in thimble_pages::assets::ALL {
        fs::write(directory.join("static").join(asset.name), asset.content)?;
    }
    for (name, page) in fixture::Fixture::default().pages() {
        fs::write(directory.join(format!("{name}.html")), page.into_string())?;
    }
    Ok(())
}
