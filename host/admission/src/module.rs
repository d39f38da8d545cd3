//! One core module: its counts, and whether it is wit-component's glue or a program.

use wasmparser::{
    CompositeInnerType, ElementItems, ElementSectionReader, ExportSectionReader, FunctionBody, ImportSectionReader,
    Payload, SubType, TableSectionReader, TypeRef, TypeSectionReader,
};

use crate::body::{self, Signature};
use crate::facts::{Facts, Usage};
use crate::limits::Limit;
use crate::refusal::{Place, Refusal, Rule};

/// What has been read of a core module.
///
/// wit-component adds modules of its own around the guest's. They are recognised by what they hold, since names prove
/// nothing. None has a memory, globals or data; there are two kinds:
/// - with code (the *shim*): a table, and functions that only pass their parameters on to a table entry;
/// - without code (the *fixup*, the *start shim*): imported functions and that table, element segments that fill it, or
///   an imported function named as the start function.
#[derive(Debug)]
pub(crate) struct Module {
    index: u32,
    types: Vec<Signature>,
    /// Type of each defined function.
    functions: Vec<u32>,
    imported_functions: u32,
    bodies: u32,
    has_imports: bool,
    has_elements: bool,
    has_start: bool,
    has_tables: bool,
    /// The first thing found that no glue module has.
    own: Option<String>,
}

impl Module {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            index,
            types: Vec::new(),
            functions: Vec::new(),
            imported_functions: 0,
            bodies: 0,
            has_imports: false,
            has_elements: false,
            has_start: false,
            has_tables: false,
            own: None,
        }
    }

    /// Its place in the module index space.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Why this module is not glue; `None` if it is.
    pub(crate) fn own_program(&self) -> Option<String> {
        if self.own.is_some() {
            return self.own.clone();
        }
        let mixed = if self.functions.is_empty() {
            self.has_tables.then_some("has a table without code")
        } else if self.has_imports {
            Some("has both code and imports")
        } else if self.has_elements {
            Some("has both code and element segments")
        } else {
            self.has_start.then_some("has both code and a start function")
        };
        mixed.map(str::to_owned)
    }

    /// Takes in one section or function body.
    pub(crate) fn read(
        &mut self,
        payload: Payload<'_>,
        usage: &mut Usage<'_>,
        facts: &mut Facts,
    ) -> Result<(), Refusal> {
        match payload {
            Payload::TypeSection(section) => self.types(section, usage)?,
            Payload::ImportSection(section) => self.imports(section, usage)?,
            Payload::FunctionSection(section) => {
                usage.add(Limit::Functions, section.count().into())?;
                self.functions = section.into_iter().collect::<Result<_, _>>().map_err(|e| Refusal::malformed(&e))?;
            }
            Payload::TableSection(section) => self.tables(section, usage)?,
            Payload::MemorySection(section) => {
                usage.add(Limit::Memories, section.count().into())?;
                for memory in section {
                    let pages = memory.map_err(|e| Refusal::malformed(&e))?.initial;
                    facts.memory_pages = facts.memory_pages.saturating_add(pages);
                }
                self.is_own("defines a memory");
            }
            Payload::GlobalSection(section) => {
                usage.add(Limit::Globals, section.count().into())?;
                facts.global_bytes += section.range().len() as u64;
                self.is_own("defines a global");
            }
            Payload::ExportSection(section) => exports(section, usage)?,
            Payload::StartSection { .. } => {
                self.has_start = true;
                facts.has_start = true;
            }
            Payload::ElementSection(section) => self.elements(section, usage, facts)?,
            Payload::DataSection(section) => {
                usage.add(Limit::DataSegments, section.count().into())?;
                facts.data_bytes += section.range().len() as u64;
                self.is_own("has a data segment");
            }
            Payload::CodeSectionEntry(body) => self.body(&body, usage, facts)?,
            // Headers and counts, checked by the parser; the function section bounds the number of bodies.
            Payload::Version { .. } | Payload::DataCountSection { .. } | Payload::CodeSectionStart { .. } => {}
            Payload::TagSection(_) => {
                let detail = "needs the feature exceptions, which is not allowed: it has a tag section";
                usage.refuse(Refusal::broken(Rule::Feature, self.place(), detail))?;
            }
            _ => return Err(Refusal::broken(Rule::Malformed, self.place(), "has an unknown section")),
        }
        Ok(())
    }

    fn place(&self) -> Place {
        Place::Module(self.index)
    }

    fn is_own(&mut self, why: &str) {
        self.own.get_or_insert_with(|| why.to_owned());
    }

    fn types(&mut self, section: TypeSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        usage.add(Limit::CoreTypes, section.count().into())?;
        for group in section {
            let mut members = group.map_err(|e| Refusal::malformed(&e))?.into_types();
            let (Some(SubType { composite_type, .. }), None) = (members.next(), members.next()) else {
                usage.refuse(self.not_a_function_type())?;
                self.types.push(Signature::default());
                continue;
            };
            let CompositeInnerType::Func(ty) = composite_type.inner else {
                usage.refuse(self.not_a_function_type())?;
                self.types.push(Signature::default());
                continue;
            };
            let (params, results) = (ty.params().len(), ty.results().len());
            usage.at_most(Limit::TypeParams, params as u64, || self.place())?;
            usage.at_most(Limit::TypeResults, results as u64, || self.place())?;
            self.types.push(Signature { params: params as u32, results: results as u32 });
        }
        Ok(())
    }

    fn not_a_function_type(&self) -> Refusal {
        let detail = "needs the feature gc, which is not allowed: it has a type other than a single function's";
        Refusal::broken(Rule::Feature, self.place(), detail)
    }

    fn imports(&mut self, section: ImportSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        usage.add(Limit::Imports, section.count().into())?;
        for import in section.into_imports() {
            let import = import.map_err(|e| Refusal::malformed(&e))?;
            usage.add(Limit::NameBytes, (import.module.len() + import.name.len()) as u64)?;
            match import.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => self.imported_functions += 1,
                TypeRef::Table(_) => {}
                TypeRef::Memory(_) => self.is_own("imports a memory"),
                TypeRef::Global(_) => self.is_own("imports a global"),
                TypeRef::Tag(_) => self.is_own("imports a tag"),
            }
            self.has_imports = true;
        }
        Ok(())
    }

    fn tables(&mut self, section: TableSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
        usage.add(Limit::Tables, section.count().into())?;
        for table in section {
            let ty = table.map_err(|e| Refusal::malformed(&e))?.ty;
            if ty.maximum.is_none() {
                let detail = "defines a table that states no maximum";
                usage.refuse(Refusal::broken(Rule::TableMaximum, self.place(), detail))?;
            }
            usage.add(Limit::TableElements, ty.maximum.unwrap_or(ty.initial))?;
        }
        self.has_tables = true;
        Ok(())
    }

    fn elements(
        &mut self,
        section: ElementSectionReader<'_>,
        usage: &mut Usage<'_>,
        facts: &mut Facts,
    ) -> Result<(), Refusal> {
        usage.add(Limit::ElementSegments, section.count().into())?;
        facts.element_bytes += section.range().len() as u64;
        for segment in section {
            let items = match segment.map_err(|e| Refusal::malformed(&e))?.items {
                ElementItems::Functions(items) => items.count(),
                ElementItems::Expressions(_, items) => items.count(),
            };
            usage.add(Limit::Elements, items.into())?;
        }
        self.has_elements = true;
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>, usage: &mut Usage<'_>, facts: &mut Facts) -> Result<(), Refusal> {
        let place = Place::Function { module: self.index, index: self.imported_functions.saturating_add(self.bodies) };
        let bytes = body.range().len() as u64;
        facts.code_bytes += bytes;
        usage.at_most(Limit::FunctionBytes, bytes, || place.clone())?;
        usage.add(Limit::CodeBytes, bytes)?;

        let type_index = self.functions.get(self.bodies as usize).copied().unwrap_or(u32::MAX);
        let signature = self.types.get(type_index as usize).copied().unwrap_or_default();
        let found = body::scan(body, signature, &self.types).map_err(|e| Refusal::malformed(&e))?;
        usage.at_most(Limit::FunctionLocals, found.locals, || place.clone())?;
        usage.at_most(Limit::FunctionNesting, found.nesting, || place.clone())?;
        usage.at_most(Limit::FunctionComplexity, found.complexity, || place.clone())?;
        usage.at_most(Limit::FunctionControl, found.control, || place.clone())?;
        usage.at_most(Limit::BlockParams, found.block_params, || place.clone())?;
        usage.add(Limit::Calls, found.calls)?;
        usage.add(Limit::ControlTotal, found.control)?;
        usage.add(Limit::ComplexityTotal, found.cost())?;
        usage.at_most(Limit::BrTableTargets, found.br_table_targets, || place.clone())?;
        usage.add(Limit::BrTableTargetsTotal, found.br_table_targets)?;
        if !found.is_shim && self.own.is_none() {
            self.own = Some(format!("has code of its own ({place})"));
        }
        self.bodies += 1;
        Ok(())
    }
}

fn exports(section: ExportSectionReader<'_>, usage: &mut Usage<'_>) -> Result<(), Refusal> {
    usage.add(Limit::Exports, section.count().into())?;
    for export in section {
        usage.add(Limit::NameBytes, export.map_err(|e| Refusal::malformed(&e))?.name.len() as u64)?;
    }
    Ok(())
}
