//! The outermost component: what it imports, instantiates, lifts, lowers and exports.

use std::collections::BTreeSet;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentTypeRef,
    Instance, Payload, SectionLimited,
};

use crate::contract;
use crate::facts::{Facts, Usage};
use crate::limits::Limit;
use crate::refusal::{Place, Refusal, Rule};
use crate::types;

/// The index spaces of the outermost component, as far as the rules need them.
///
/// Component instances come from imports, instance sections and exports; component functions from aliases, lifting and
/// (refused) imports and exports. Each is marked with whether it is the host's.
#[derive(Debug, Default)]
pub(crate) struct Outer {
    /// How often each core module is instantiated.
    instantiations: Vec<u32>,
    instance_is_imported: Vec<bool>,
    function_is_imported: Vec<bool>,
    imports: BTreeSet<String>,
    unknown_imports: Vec<String>,
    exported: [bool; contract::EXPORTS.len()],
}

impl Outer {
    /// Notes a core module; its place in the module index space.
    pub(crate) fn add_module(&mut self) -> u32 {
        self.instantiations.push(0);
        (self.instantiations.len() - 1) as u32
    }

    /// Takes in one section.
    pub(crate) fn read(
        &mut self,
        payload: Payload<'_>,
        component: &[u8],
        usage: &mut Usage<'_>,
    ) -> Result<(), Refusal> {
        match payload {
            Payload::Version { .. } => Ok(()),
            Payload::ComponentTypeSection(section) => types::check(component, &section, usage),
            Payload::ComponentImportSection(section) => {
                usage.add(Limit::Imports, section.count().into())?;
                each(section, |import| self.import(import.name.name, import.ty, usage))
            }
            Payload::ComponentAliasSection(section) => {
                usage.add(Limit::ComponentItems, section.count().into())?;
                each(section, |alias| self.alias(&alias, usage))
            }
            Payload::ComponentCanonicalSection(section) => {
                usage.add(Limit::ComponentItems, section.count().into())?;
                each(section, |function| self.canonical(&function, usage))
            }
            Payload::InstanceSection(section) => {
                usage.add(Limit::ComponentItems, section.count().into())?;
                each(section, |instance| self.core_instance(&instance, usage))
            }
            Payload::ComponentInstanceSection(section) => {
                usage.add(Limit::ComponentItems, section.count().into())?;
                each(section, |instance| self.instance(&instance, usage))
            }
            Payload::ComponentExportSection(section) => {
                usage.add(Limit::Exports, section.count().into())?;
                each(section, |export| self.export(export.name.name, export.kind, usage))
            }
            Payload::ComponentStartSection { .. } => Err(item("has a component start function")),
            Payload::CoreTypeSection(_) => Err(item("declares core types outside a module")),
            _ => Err(item("has a section that wit-component does not make")),
        }
    }

    /// The rules that need the whole component.
    pub(crate) fn finish(self, usage: &mut Usage<'_>, facts: &mut Facts) -> Result<(), Refusal> {
        if !self.unknown_imports.is_empty() {
            usage.refuse(contract::unknown_imports(&self.unknown_imports))?;
        }
        for (index, &times) in self.instantiations.iter().enumerate() {
            if times != 1 {
                let detail = format!("is instantiated {times} times, it must be exactly once");
                usage.refuse(Refusal::broken(Rule::ModuleInstances, Place::Module(index as u32), detail))?;
            }
        }
        for (name, exported) in contract::EXPORTS.iter().zip(self.exported) {
            if !exported {
                let detail = format!("does not export {name}@{}", contract::CONTRACT_VERSION);
                usage.refuse(Refusal::broken(Rule::Export, Place::Component, detail))?;
            }
        }
        facts.imports = self.imports.into_iter().collect();
        Ok(())
    }

    fn import(&mut self, name: &str, ty: ComponentTypeRef, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        usage.add(Limit::NameBytes, name.len() as u64)?;
        if !matches!(ty, ComponentTypeRef::Instance(_)) {
            let detail = format!("is a {}, only interfaces are imported", ty.kind().desc());
            usage.refuse(Refusal::broken(Rule::Import, Place::Import(name.to_owned()), detail))?;
            if matches!(ty, ComponentTypeRef::Func(_)) {
                self.function_is_imported.push(true);
            }
            return Ok(());
        }
        match contract::import_is_answered(name) {
            Ok(true) => {}
            Ok(false) => self.unknown_imports.push(name.to_owned()),
            Err(refusal) => usage.refuse(refusal)?,
        }
        self.imports.insert(name.to_owned());
        self.instance_is_imported.push(true);
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        match alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                usage.add(Limit::NameBytes, name.len() as u64)?;
                match kind {
                    ComponentExternalKind::Type => Ok(()),
                    ComponentExternalKind::Func => {
                        let imported = self.instance_is_imported.get(*instance_index as usize) == Some(&true);
                        self.function_is_imported.push(imported);
                        Ok(())
                    }
                    other => Err(item(&format!("aliases a {} out of an instance", other.desc()))),
                }
            }
            ComponentAlias::CoreInstanceExport { name, .. } => usage.add(Limit::NameBytes, name.len() as u64),
            // `outer 0` would give a core module a second index, and so a second instance.
            ComponentAlias::Outer { .. } => Err(item("has an outer alias at its top level")),
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        match function {
            CanonicalFunction::Lift { options, .. } => {
                canonical_options(options, usage)?;
                self.function_is_imported.push(false);
                Ok(())
            }
            CanonicalFunction::Lower { func_index, options } => {
                canonical_options(options, usage)?;
                if self.function_is_imported.get(*func_index as usize) == Some(&true) {
                    return Ok(());
                }
                let detail = format!("lowers component function {func_index}, which is not a function of an import");
                usage.refuse(Refusal::broken(Rule::LowerImportsOnly, Place::Component, detail))
            }
            CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => Ok(()),
            other => {
                let name = format!("{other:?}");
                let name = name.split([' ', '{']).next().unwrap_or_default();
                let detail = format!("uses the canonical built-in {name}");
                usage.refuse(Refusal::broken(Rule::CanonicalFunction, Place::Component, detail))
            }
        }
    }

    fn core_instance(&mut self, instance: &Instance<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        match instance {
            Instance::Instantiate { module_index, args } => {
                usage.add(Limit::ComponentItems, args.len() as u64)?;
                usage.add(Limit::NameBytes, args.iter().map(|arg| arg.name.len() as u64).sum())?;
                // An index out of range is left to validation.
                if let Some(times) = self.instantiations.get_mut(*module_index as usize) {
                    *times += 1;
                }
            }
            Instance::FromExports(exports) => {
                usage.add(Limit::ComponentItems, exports.len() as u64)?;
                usage.add(Limit::NameBytes, exports.iter().map(|export| export.name.len() as u64).sum())?;
            }
        }
        Ok(())
    }

    fn instance(&mut self, instance: &ComponentInstance<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        let (items, names): (usize, usize) = match instance {
            ComponentInstance::Instantiate { args, .. } => (args.len(), args.iter().map(|arg| arg.name.len()).sum()),
            ComponentInstance::FromExports(exports) => {
                (exports.len(), exports.iter().map(|export| export.name.name.len()).sum())
            }
        };
        usage.add(Limit::ComponentItems, items as u64)?;
        usage.add(Limit::NameBytes, names as u64)?;
        self.instance_is_imported.push(false);
        Ok(())
    }

    fn export(&mut self, name: &str, kind: ComponentExternalKind, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        usage.add(Limit::NameBytes, name.len() as u64)?;
        if kind != ComponentExternalKind::Instance {
            let detail = format!("is a {}, only interfaces are exported", kind.desc());
            usage.refuse(Refusal::broken(Rule::Export, Place::Export(name.to_owned()), detail))?;
            if kind == ComponentExternalKind::Func {
                self.function_is_imported.push(true);
            }
            return Ok(());
        }
        match contract::export(name) {
            Ok(index) => self.exported[index] = true,
            Err(refusal) => usage.refuse(refusal)?,
        }
        // An export is a new index for what it exports.
        self.instance_is_imported.push(false);
        Ok(())
    }
}

fn item(detail: &str) -> Refusal {
    Refusal::broken(Rule::ComponentItem, Place::Component, detail)
}

fn canonical_options(options: &[CanonicalOption], usage: &mut Usage<'_>) -> Result<(), Refusal> {
    for option in options {
        let refused = match option {
            CanonicalOption::UTF8
            | CanonicalOption::Memory(_)
            | CanonicalOption::Realloc(_)
            | CanonicalOption::PostReturn(_) => continue,
            CanonicalOption::UTF16 => "UTF-16 strings",
            CanonicalOption::CompactUTF16 => "Latin-1 or UTF-16 strings",
            CanonicalOption::Async | CanonicalOption::Callback(_) => "async calls",
            CanonicalOption::CoreType(_) | CanonicalOption::Gc => "garbage-collected values",
        };
        let detail = format!("uses {refused} in a canonical function");
        return usage.refuse(Refusal::broken(Rule::CanonicalOption, Place::Component, detail));
    }
    Ok(())
}

/// Reads a section item by item.
fn each<'a, T: wasmparser::FromReader<'a>>(
    section: SectionLimited<'a, T>,
    mut take: impl FnMut(T) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for item in section {
        take(item.map_err(|e| Refusal::malformed(&e))?)?;
    }
    Ok(())
}
