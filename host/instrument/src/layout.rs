//! What must be known of a component before it is rewritten: which module is the program, and which of its functions the
//! host calls while the program may not call the host.

use std::collections::BTreeSet;

use wasm_encoder_parser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentTypeRef, ExternalKind,
    Instance, Parser, Payload,
};

use crate::InstrumentError;

/// A component with one program.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// The program's bytes.
    pub(crate) program: &'a [u8],
    /// Its place among the outermost component's core modules.
    pub(crate) module: u32,
    /// The core instance that is made of it.
    pub(crate) instance: u32,
    /// Core functions and component functions of the outermost component.
    pub(crate) core_functions: u32,
    pub(crate) functions: u32,
    /// Exports of the program that serve as `realloc` or `post-return`.
    pub(crate) silent: BTreeSet<&'a str>,
}

/// The index spaces of the outermost component, as far as they matter.
#[derive(Default)]
struct Spaces<'a> {
    modules: Vec<&'a [u8]>,
    /// The module that each core instance is made of.
    instances: Vec<Option<u32>>,
    /// The core instance and export that each core function is.
    core_functions: Vec<Option<(u32, &'a str)>>,
    functions: u32,
    silent: Vec<u32>,
}

impl<'a> Layout<'a> {
    pub(crate) fn of(component: &'a [u8]) -> Result<Self, InstrumentError> {
        let spaces = Spaces::read(component)?;
        let mut programs = Vec::new();
        for (index, module) in spaces.modules.iter().enumerate() {
            if has_memory(module)? {
                programs.push((index as u32, *module));
            }
        }
        let [(module, program)] = *programs else { return Err(InstrumentError::Programs(programs.len())) };
        let mut instances = (0..).zip(&spaces.instances).filter(|(_, of)| **of == Some(module)).map(|(index, _)| index);
        let (Some(instance), None) = (instances.next(), instances.next()) else {
            return Err(InstrumentError::Malformed("the program is not instantiated exactly once".to_owned()));
        };
        let function = |index: &u32| spaces.core_functions.get(*index as usize).copied().flatten();
        let own = |(of, name): (u32, &'a str)| (of == instance).then_some(name);
        Ok(Self {
            program,
            module,
            instance,
            core_functions: spaces.core_functions.len() as u32,
            functions: spaces.functions,
            silent: spaces.silent.iter().filter_map(function).filter_map(own).collect(),
        })
    }
}

impl<'a> Spaces<'a> {
    fn read(component: &'a [u8]) -> Result<Self, InstrumentError> {
        let mut spaces = Self::default();
        // Components and modules that are being read.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth == 1 => spaces.item(payload, component)?,
                _ => {}
            }
        }
        Ok(spaces)
    }

    fn item(&mut self, payload: Payload<'a>, component: &'a [u8]) -> Result<(), InstrumentError> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                let range = unchecked_range.start as usize..unchecked_range.end as usize;
                let cut = || InstrumentError::Malformed("a core module is cut off".to_owned());
                self.modules.push(component.get(range).ok_or_else(cut)?);
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(match instance? {
                        Instance::Instantiate { module_index, .. } => Some(module_index),
                        Instance::FromExports(_) => None,
                    });
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.functions += u32::from(matches!(import?.ty, ComponentTypeRef::Func(_)));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.functions += u32::from(export?.kind == ComponentExternalKind::Func);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    match alias? {
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Func, .. } => self.functions += 1,
                        ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, instance_index, name } => {
                            self.core_functions.push(Some((instance_index, name)));
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(&function?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { options, .. } => {
                self.functions += 1;
                self.options(options);
            }
            CanonicalFunction::Lower { options, .. } => {
                self.core_functions.push(None);
                self.options(options);
            }
            _ => self.core_functions.push(None),
        }
    }

    fn options(&mut self, options: &[CanonicalOption]) {
        self.silent.extend(options.iter().filter_map(|option| match option {
            CanonicalOption::Realloc(function) | CanonicalOption::PostReturn(function) => Some(*function),
            _ => None,
        }));
    }
}

fn has_memory(module: &[u8]) -> Result<bool, InstrumentError> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::MemorySection(memories) = payload? {
            return Ok(memories.count() > 0);
        }
    }
    Ok(false)
}
