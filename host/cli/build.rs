//! Lists the sources that `thimble new` puts into a project, so that the binary carries them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a guest needs of this repository, by its place in it.
const VENDORED: [&str; 5] = ["guest-sdk/Cargo.toml", "guest-sdk/src", "order/Cargo.toml", "order/src", "wit"];

fn main() -> io::Result<()> {
    let root = PathBuf::from("../..").canonicalize()?;
    let mut files = Vec::new();
    for place in VENDORED {
        println!("cargo::rerun-if-changed={}", root.join(place).display());
        collect(&root, Path::new(place), &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        // Writing to a string cannot fail.
        let _ = writeln!(list, "    ({:?}, include_str!({:?})),", file, root.join(&file));
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("vendored.rs"), list)
}

fn collect(root: &Path, place: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let path = root.join(place);
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(root, &place.join(entry?.file_name()), files)?;
        }
    } else {
        files.push(place.to_owned());
    }
    Ok(())
}
