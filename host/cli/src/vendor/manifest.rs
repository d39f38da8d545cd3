//! A workspace member's manifest, made to stand alone.

use anyhow::Context as _;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

const DEPENDENCIES: [&str; 2] = ["dependencies", "build-dependencies"];

/// `manifest` with everything that it inherits from the workspace `root` written out. The crate stands in a directory of
/// the root. Left out is what only the repository uses: dev-dependencies, tests, benches and examples.
///
/// # Errors
/// One of the two is not TOML, or the root does not have what the member inherits.
pub(super) fn standalone(manifest: &str, root: &str) -> anyhow::Result<String> {
    let root: DocumentMut = root.parse().context("the workspace's manifest")?;
    let workspace = root.get("workspace").and_then(Item::as_table_like).context("the manifest has no workspace")?;
    let mut manifest: DocumentMut = manifest.parse().context("the member's manifest")?;
    for table in ["dev-dependencies", "test", "bench", "example"] {
        manifest.remove(table);
    }
    let package = manifest.get_mut("package").and_then(Item::as_table_like_mut).context("it is no package")?;
    inherit(package, table(workspace, "package")?)?;
    if let Some(lints) = manifest.get_mut("lints")
        && inherits(lints)
    {
        *lints = workspace.get("lints").context("the workspace has no lints")?.clone();
    }
    let shared = table(workspace, "dependencies")?;
    dependencies(manifest.as_table_mut(), shared)?;
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_like_mut() {
                target.remove("dev-dependencies");
                dependencies(target, shared)?;
            }
        }
    }
    Ok(manifest.to_string())
}

/// `key.workspace = true`.
fn inherits(item: &Item) -> bool {
    item.as_table_like().and_then(|table| table.get("workspace")).and_then(Item::as_bool) == Some(true)
}

fn table<'a>(parent: &'a dyn TableLike, name: &str) -> anyhow::Result<&'a dyn TableLike> {
    parent.get(name).and_then(Item::as_table_like).with_context(|| format!("the workspace has no `{name}`"))
}

/// Replaces what is inherited by its value.
fn inherit(member: &mut dyn TableLike, shared: &dyn TableLike) -> anyhow::Result<()> {
    for (key, item) in member.iter_mut() {
        if inherits(item) {
            *item = shared.get(&key).with_context(|| format!("the workspace has no `{key}`"))?.clone();
        }
    }
    Ok(())
}

/// As [`inherit`], where the member may add features and options of its own.
fn dependencies(member: &mut dyn TableLike, shared: &dyn TableLike) -> anyhow::Result<()> {
    for name in DEPENDENCIES {
        let Some(dependencies) = member.get_mut(name).and_then(Item::as_table_like_mut) else { continue };
        for (key, item) in dependencies.iter_mut() {
            if inherits(item) {
                let shared = shared.get(&key).with_context(|| format!("the workspace has no dependency `{key}`"))?;
                *item = Item::Value(Value::InlineTable(dependency(item, shared)?));
            }
        }
    }
    Ok(())
}

/// One dependency: what the workspace says, and the member's features and options with it.
fn dependency(member: &Item, shared: &Item) -> anyhow::Result<InlineTable> {
    let mut merged = match shared {
        Item::Value(Value::InlineTable(table)) => table.clone(),
        Item::Table(table) => table.clone().into_inline_table(),
        Item::Value(version @ Value::String(_)) => InlineTable::from_iter([("version", version.clone())]),
        _ => anyhow::bail!("a dependency is a version or a table"),
    };
    if let Some(path) = merged.get("path").and_then(Value::as_str) {
        // Relative to the root there, to the crate's own directory here.
        let path = format!("../{path}");
        merged.insert("path", path.into());
    }
    let own = member.as_table_like().into_iter().flat_map(|table| table.iter());
    for (key, item) in own.filter(|(key, _)| *key != "workspace") {
        let value = item.as_value().with_context(|| format!("`{key}` of a dependency has no value"))?;
        match (key, merged.get_mut(key).and_then(Value::as_array_mut)) {
            ("features", Some(features)) => {
                features.extend(value.as_array().unwrap_or(&Array::new()).iter().cloned());
                features.fmt();
            }
            _ => {
                merged.insert(key, value.clone());
            }
        }
    }
    merged.fmt();
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::super::{ROOT_MANIFEST, SOURCES};
    use super::*;

    const ROOT: &str = r#"
[workspace]
members = ["a"]
[workspace.package]
version = "1.2.3"
edition = "2024"
[workspace.lints.rust]
unsafe_code = "deny"
[workspace.dependencies]
# The other crate.
b = { path = "b", default-features = false, features = ["x"] }
c = "3"
"#;

    #[test]
    fn what_is_inherited_is_written_out() -> anyhow::Result<()> {
        let member = r#"
[package]
name = "a"
version.workspace = true
edition = { workspace = true }
[lints]
workspace = true
[dependencies]
b = { workspace = true, features = ["y"], optional = true }
[target.'cfg(unix)'.dependencies]
c.workspace = true
[dev-dependencies]
c.workspace = true
"#;
        let text = standalone(member, ROOT)?;
        for line in [
            "version = \"1.2.3\"",
            "edition = \"2024\"",
            "unsafe_code = \"deny\"",
            "b = { path = \"../b\", default-features = false, features = [\"x\", \"y\"], optional = true }",
            "c = { version = \"3\" }",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("workspace") && !text.contains("dev-dependencies"), "{text}");
        Ok(())
    }

    #[test]
    fn what_the_workspace_does_not_have_is_named() {
        let error = |member: &str| standalone(member, ROOT).map_err(|error| error.to_string());
        assert!(error("[package]\nlicense.workspace = true").is_err_and(|e| e.contains("`license`")));
        assert!(error("[package]\n[dependencies]\nd.workspace = true").is_err_and(|e| e.contains("dependency `d`")));
    }

    #[test]
    fn the_vendored_crates_inherit_nothing_and_stand_side_by_side() -> anyhow::Result<()> {
        let manifests = SOURCES.iter().filter(|(place, _)| place.ends_with("Cargo.toml"));
        let mut crates = 0;
        for (place, text) in manifests {
            let text = standalone(text, ROOT_MANIFEST)?;
            let parsed: DocumentMut = text.parse()?;
            assert!(!text.contains("workspace"), "{place}:\n{text}");
            for path in text.match_indices("path = \"../").filter_map(|(at, _)| text[at + 11..].split('"').next()) {
                let manifest = format!("{path}/Cargo.toml");
                assert!(
                    SOURCES.iter().any(|(place, _)| *place == manifest),
                    "{place} needs {path}, which is not vendored"
                );
            }
            assert!(parsed.get("package").is_some());
            crates += 1;
        }
        assert_eq!(crates, 2);
        Ok(())
    }
}
