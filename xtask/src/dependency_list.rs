//! supply-chain/dependencies.toml, and the graph it speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table};

use crate::rights::Right;
use crate::step::capture;
use crate::workspace::Workspace;

/// In the repository.
pub(crate) const PATH: &str = "supply-chain/dependencies.toml";

/// Where the host runs, as in deny.toml.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// What the list says of a direct dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    /// Series that somebody looked at: `1` is every 1.x, `0.25` every 0.25.x.
    versions: Vec<String>,
    may: BTreeSet<Right>,
}

/// supply-chain/dependencies.toml.
#[derive(Debug, Default)]
pub(crate) struct List {
    crates: BTreeMap<String, Grant>,
    runs_at_build: BTreeSet<String>,
}

/// A crate that a member of the workspace names.
#[derive(Debug)]
struct Direct {
    name: String,
    version: String,
    does: BTreeSet<Right>,
}

/// What is locked.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    direct: Vec<Direct>,
    /// Every crate, direct or not, that has a build script or is a procedural macro.
    runs_at_build: BTreeSet<String>,
}

impl List {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not such a list", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let document: DocumentMut = text.parse()?;
        let mut list = Self::default();
        for group in tables(document.get("maintainers"), "maintainers")? {
            let who = filled(group, "who")?;
            filled(group, "because").with_context(|| who.clone())?;
            let crates =
                group.get("crates").and_then(Item::as_table_like).with_context(|| format!("{who}: no crates"))?;
            for (name, grant) in crates.iter() {
                let grant = Grant {
                    versions: strings(grant, "versions").with_context(|| name.to_owned())?,
                    may: strings(grant, "may")?
                        .iter()
                        .map(|right| Right::parse(right).with_context(|| format!("{name}: `{right}` is no right")))
                        .collect::<Result<_>>()?,
                };
                if list.crates.insert(name.to_owned(), grant).is_some() {
                    bail!("{name} is there twice");
                }
            }
        }
        for group in tables(document.get("runs-at-build"), "runs-at-build")? {
            let what = filled(group, "what")?;
            for name in strings(group.get("crates").context(what)?, "")? {
                if !list.runs_at_build.insert(name.clone()) {
                    bail!("{name} runs at build twice");
                }
            }
        }
        Ok(list)
    }

    /// Everything in which `graph` is not what the list says, a line each, with what to do.
    pub(crate) fn complaints(&self, graph: &Graph) -> Vec<String> {
        let mut complaints = Vec::new();
        for Direct { name, version, does } in &graph.direct {
            let words: Vec<_> = does.iter().map(|right| format!("{:?}", right.name())).collect();
            let Some(grant) = self.crates.get(name) else {
                complaints.push(format!(
                    "{name} {version} is a direct dependency that {PATH} does not have; look at it, then add under its \
                     maintainer: {name} = {{ versions = [{version:?}], may = [{}] }}",
                    words.join(", ")
                ));
                continue;
            };
            if !grant.versions.iter().any(|series| in_series(version, series)) {
                let series = grant.versions.join(", ");
                complaints.push(format!("{name} {version} has left the series that was looked at ({series})"));
            }
            for right in does.difference(&grant.may) {
                complaints.push(format!("{name} {version} has `{}`, which {PATH} does not grant", right.name()));
            }
        }
        for (name, grant) in &self.crates {
            let mut versions = graph.direct.iter().filter(|direct| direct.name == *name).peekable();
            if versions.peek().is_none() {
                complaints.push(format!("{name} is in {PATH}, but no direct dependency"));
                continue;
            }
            let does: BTreeSet<Right> = versions.flat_map(|direct| direct.does.iter().copied()).collect();
            for right in grant.may.difference(&does) {
                complaints.push(format!("{name} is granted `{}`, which it does not have", right.name()));
            }
        }
        for name in graph.runs_at_build.difference(&self.runs_at_build) {
            complaints.push(format!("{name} runs code while this is built; look at it, then name it in {PATH}"));
        }
        for name in self.runs_at_build.difference(&graph.runs_at_build) {
            complaints.push(format!("{name} is said in {PATH} to run while this is built, but does not"));
        }
        complaints
    }
}

/// Whether `version` continues `series` at a dot, or is it.
fn in_series(version: &str, series: &str) -> bool {
    version.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+']))
}

fn tables<'a>(item: Option<&'a Item>, name: &str) -> Result<impl Iterator<Item = &'a Table>> {
    let tables = item.and_then(Item::as_array_of_tables).with_context(|| format!("no [[{name}]]"))?;
    Ok(tables.iter())
}

/// A text that is not empty: a reason left out is no reason.
fn filled(table: &Table, key: &str) -> Result<String> {
    let text = table.get(key).and_then(Item::as_str).unwrap_or_default().trim();
    if text.is_empty() {
        bail!("`{key}` is missing");
    }
    Ok(text.to_owned())
}

/// The texts in the array `key` of `item`, or in `item` itself where the key is empty.
fn strings(item: &Item, key: &str) -> Result<Vec<String>> {
    let array = if key.is_empty() { Some(item) } else { item.get(key) };
    let array = array.and_then(Item::as_array).with_context(|| format!("`{key}` is no array"))?;
    array.iter().map(|value| Ok(value.as_str().context("not a text")?.to_owned())).collect()
}

impl Graph {
    /// The graph of Cargo.lock for both processors, with the sources as cargo has them.
    pub(crate) fn locked(workspace: &Workspace) -> Result<Self> {
        let mut graph = Self::default();
        let mut seen = BTreeSet::new();
        for target in TARGETS {
            let mut cargo = workspace.cargo();
            cargo.args(["metadata", "--format-version", "1", "--locked", "--all-features"]);
            let text = capture(cargo.args(["--filter-platform", target]))?;
            let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` wrote no JSON")?;
            graph.add(&metadata, &mut seen)?;
        }
        Ok(graph)
    }

    /// Adds what is not in `seen` by its id.
    fn add(&mut self, metadata: &Value, seen: &mut BTreeSet<String>) -> Result<()> {
        let members = texts(&metadata["workspace_members"]);
        let nodes = metadata["resolve"]["nodes"].as_array().context("the metadata has no graph")?;
        let direct: BTreeSet<&str> = nodes
            .iter()
            .filter(|node| node["id"].as_str().is_some_and(|id| members.contains(id)))
            .flat_map(|node| texts(&node["dependencies"]))
            .collect();
        for package in metadata["packages"].as_array().context("the metadata has no packages")? {
            let id = package["id"].as_str().context("a package has no id")?;
            // Without a source it is this repository's own.
            if package["source"].is_null() || !seen.insert(id.to_owned()) {
                continue;
            }
            let name = package["name"].as_str().context("a package has no name")?.to_owned();
            let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
            let kinds: BTreeSet<&str> = targets.iter().flat_map(|target| texts(&target["kind"])).collect();
            let built: BTreeSet<Right> =
                Right::AT_BUILD.into_iter().filter(|right| kinds.contains(right.kind())).collect();
            if !built.is_empty() {
                self.runs_at_build.insert(name.clone());
            }
            if direct.contains(id) {
                let manifest = package["manifest_path"].as_str().map(PathBuf::from).context("no manifest")?;
                let source = manifest.with_file_name("src");
                let mut does =
                    Right::of_source(&source).with_context(|| format!("cannot read {}", source.display()))?;
                does.extend(built);
                let version = package["version"].as_str().context("a package has no version")?.to_owned();
                self.direct.push(Direct { name, version, does });
            }
        }
        Ok(())
    }
}

/// The texts of a JSON array; none where it is something else.
fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(crates: &str) -> List {
        let group = "[[maintainers]]\nwho = \"somebody\"\nbecause = \"known\"\n[maintainers.crates]\n";
        let at_build = "\n[[runs-at-build]]\nwhat = \"asks\"\ncrates = [\"old\"]\n";
        List::parse(&format!("{group}{crates}{at_build}")).expect("it parses")
    }

    fn graph(version: &str, does: &[Right]) -> Graph {
        let direct = Direct { name: "new".into(), version: version.into(), does: does.iter().copied().collect() };
        Graph { direct: vec![direct], runs_at_build: BTreeSet::from(["old".into()]) }
    }

    #[test]
    fn this_workspace_is_what_its_list_says() {
        let workspace = Workspace::locate().expect("a test runs in its package");
        let list = List::read(&workspace.path(PATH)).expect("the list is readable");
        let graph = Graph::locked(&workspace).expect("the graph is locked");
        assert!(graph.direct.len() > 50 && graph.runs_at_build.len() > 50, "{graph:?}");
        let complaints = list.complaints(&graph);
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn what_the_list_says_is_all_right() {
        let list = list("new = { versions = [\"0.9\", \"1\"], may = [\"unsafe\"] }");
        assert_eq!(list.complaints(&graph("1.2.3", &[Right::Unsafe])), [] as [&str; 0]);
    }

    #[test]
    fn a_dependency_without_a_line_is_named_with_the_line_that_it_needs() {
        let complaints = list("").complaints(&graph("1.2.3", &[Right::Network]));
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].contains(r#"new = { versions = ["1.2.3"], may = ["network"] }"#), "{complaints:?}");
    }

    #[test]
    fn a_series_ends_where_its_number_ends() {
        assert!(in_series("1.2.3", "1") && in_series("1.2.3", "1.2") && in_series("1.2.3+x", "1.2.3"));
        assert!(!in_series("10.2.3", "1") && !in_series("2.0.0", "1") && !in_series("1.20.0", "1.2"));
        let complaints = list("new = { versions = [\"1\"], may = [] }").complaints(&graph("10.0.0", &[]));
        assert_eq!(complaints, ["new 10.0.0 has left the series that was looked at (1)"]);
    }

    #[test]
    fn rights_are_neither_taken_nor_kept_in_reserve() {
        let list = list("new = { versions = [\"1\"], may = [\"files\"] }");
        let complaints = list.complaints(&graph("1.0.0", &[Right::Processes]));
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(
            complaints[0].contains("has `processes`") && complaints[1].contains("granted `files`"),
            "{complaints:?}"
        );
    }

    #[test]
    fn what_runs_at_build_is_exactly_what_is_named() {
        let list = list("new = { versions = [\"1\"], may = [] }");
        let mut graph = graph("1.0.0", &[]);
        graph.runs_at_build = BTreeSet::from(["other".into()]);
        let complaints = list.complaints(&graph);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints[0].starts_with("other runs") && complaints[1].starts_with("old is said"), "{complaints:?}");
    }

    #[test]
    fn a_group_without_a_reason_is_refused() {
        let text = "[[maintainers]]\nwho = \"somebody\"\nbecause = \" \"\n[maintainers.crates]\n";
        let error = List::parse(text).map_err(|error| format!("{error:#}"));
        assert!(error.as_ref().is_err_and(|error| error.contains("`because` is missing")), "{error:?}");
    }
}
