//! A component inside the component: wit-component's wrapper around one exported interface.

use wasmparser::{
    ComponentAlias, ComponentExportSectionReader, ComponentExternalKind, ComponentImportSectionReader, Payload,
};

use crate::facts::Usage;
use crate::limits::Limit;
use crate::refusal::{Place, Refusal, Rule};
use crate::types;

/// Takes in one section of a wrapper. It may hold types, and import and export functions and types: nothing that runs.
pub(crate) fn read(index: u32, payload: Payload<'_>, component: &[u8], usage: &mut Usage<'_>) -> Result<(), Refusal> {
    let refused =
        |what: &str| Err(Refusal::broken(Rule::NestedComponent, Place::Nested(index), format!("holds {what}")));
    match payload {
        Payload::Version { .. } => Ok(()),
        Payload::ComponentTypeSection(section) => types::check(component, &section, usage),
        Payload::ComponentImportSection(section) => imports(index, section, usage),
        Payload::ComponentExportSection(section) => exports(index, section, usage),
        Payload::ComponentAliasSection(section) => {
            usage.add(Limit::ComponentItems, section.count().into())?;
            for alias in section {
                match alias.map_err(|e| Refusal::malformed(&e))? {
                    ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, name, .. } => {
                        usage.add(Limit::NameBytes, name.len() as u64)?;
                    }
                    _ => return refused("an alias of something other than a type"),
                }
            }
            Ok(())
        }
        Payload::ModuleSection { .. } => refused("a core module"),
        Payload::ComponentSection { .. } => refused("another component"),
        Payload::InstanceSection(_) => refused("a core instance"),
        Payload::ComponentInstanceSection(_) => refused("an instance"),
        Payload::ComponentCanonicalSection(_) => refused("a canonical function"),
        Payload::ComponentStartSection { .. } => refused("a start function"),
        _ => refused("a section that wit-component does not make"),
    }
}

fn passes(kind: ComponentExternalKind) -> bool {
    matches!(kind, ComponentExternalKind::Func | ComponentExternalKind::Type)
}

fn not_passed(index: u32, verb: &str, kind: ComponentExternalKind) -> Refusal {
    Refusal::broken(
        Rule::NestedComponent,
        Place::Nested(index),
        format!("{verb} something other than a function or type: {}", kind.desc()),
    )
}

fn imports(index: u32, section: ComponentImportSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
    usage.add(Limit::Imports, section.count().into())?;
    for import in section {
        let import = import.map_err(|e| Refusal::malformed(&e))?;
        usage.add(Limit::NameBytes, import.name.name.len() as u64)?;
        let kind = import.ty.kind();
        if !passes(kind) {
            return Err(not_passed(index, "imports", kind));
        }
    }
    Ok(())
}

fn exports(index: u32, section: ComponentExportSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
    usage.add(Limit::Exports, section.count().into())?;
    for export in section {
        let export = export.map_err(|e| Refusal::malformed(&e))?;
        usage.add(Limit::NameBytes, export.name.name.len() as u64)?;
        if !passes(export.kind) {
            return Err(not_passed(index, "exports", export.kind));
        }
    }
    Ok(())
}
