//! What functions are called.

use std::collections::BTreeMap;

use wasm_encoder_parser::{
    self as wasmparser, CustomSectionReader, ExportSectionReader, ExternalKind, KnownCustom, Name,
};

/// Names of functions by their index in the module.
#[derive(Default)]
pub(crate) struct Names<'a> {
    named: BTreeMap<u32, &'a str>,
    exported: BTreeMap<u32, &'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn exports(&mut self, section: ExportSectionReader<'a>) -> wasmparser::Result<()> {
        for export in section {
            let export = export?;
            if export.kind == ExternalKind::Func {
                self.exported.entry(export.index).or_insert(export.name);
            }
        }
        Ok(())
    }

    /// Takes in a custom section. One that is damaged names what stands before the damage: nobody validates it, and a
    /// number is name enough.
    pub(crate) fn custom(&mut self, section: &CustomSectionReader<'a>) {
        let KnownCustom::Name(subsections) = section.as_known() else { return };
        for subsection in subsections {
            let Ok(Name::Function(names)) = subsection else { continue };
            self.named.extend(names.into_iter().map_while(Result::ok).map(|naming| (naming.index, naming.name)));
        }
    }

    /// The names of `count` functions from index `first` on.
    pub(crate) fn of_defined(&self, first: u32, count: u32) -> Vec<String> {
        let name = |index| match (self.named.get(&index), self.exported.get(&index)) {
            // The alternate form leaves out the hash.
            (Some(name), _) => format!("{:#}", rustc_demangle::demangle(name)),
            (None, Some(name)) => (*name).to_owned(),
            (None, None) => format!("func[{index}]"),
        };
        (first..first.saturating_add(count)).map(name).collect()
    }
}
