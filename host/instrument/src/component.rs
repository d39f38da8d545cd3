//! The component around the program: one import more, handed to the program, and one export more.
//!
//! What the import needs stands before everything else, so that every index of the outermost component moves by a
//! constant: two types, one imported instance, two functions taken out of it, the same two lowered, and a core instance
//! of them. The export comes last and moves nothing.

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentImportSection, ComponentSectionId, ComponentTypeRef, ComponentTypeSection,
    ExportKind, InstanceSection, InstanceType, ModuleArg, PrimitiveValType, RawSection,
};
use wasm_encoder_parser::{self as wasmparser, InstantiationArgKind, Parser};

use crate::layout::Layout;
use crate::module::PROBE_FUNCTIONS;
use crate::{InstrumentError, PROBES, SILENT};

/// Types that are added: the interface of the probes, and the function that tells the counts.
const TYPES: u32 = 2;
/// Its index.
const SILENT_TYPE: u32 = 1;
const NO_OPTIONS: [CanonicalOption; 0] = [];

/// The component with `module` in the place of its program.
pub(crate) fn with_probes(component: &[u8], layout: &Layout<'_>, module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
    let mut encoded = Component::new();
    add_import(&mut encoded);
    let mut rewriter = Rewriter { depth: 0, modules: 0, program: layout.module, module };
    rewriter.parse_component(&mut encoded, Parser::new(0), component)?;
    add_export(&mut encoded, layout);
    Ok(encoded.finish())
}

fn add_import(component: &mut Component) {
    let number = |name| (name, PrimitiveValType::U32);
    let mut interface = InstanceType::new();
    interface.ty().function().params([number("function"), number("probes"), number("wrappers")]).result(None);
    interface.export("enter", ComponentTypeRef::Func(0));
    interface.ty().function().params([number("probes"), number("wrappers")]).result(None);
    interface.export("leave", ComponentTypeRef::Func(1));
    let mut types = ComponentTypeSection::new();
    types.instance(&interface);
    types.function().params::<_, PrimitiveValType>([]).result(Some(PrimitiveValType::U64.into()));
    component.section(&types);

    let mut imports = ComponentImportSection::new();
    imports.import(PROBES, ComponentTypeRef::Instance(0));
    component.section(&imports);

    let mut aliases = ComponentAliasSection::new();
    for name in ["enter", "leave"] {
        aliases.alias(Alias::InstanceExport { instance: 0, kind: ComponentExportKind::Func, name });
    }
    component.section(&aliases);

    let mut lowered = CanonicalFunctionSection::new();
    lowered.lower(0, NO_OPTIONS).lower(1, NO_OPTIONS);
    component.section(&lowered);

    let mut instances = InstanceSection::new();
    instances.export_items([("enter", ExportKind::Func, 0), ("leave", ExportKind::Func, 1)]);
    component.section(&instances);
}

fn add_export(component: &mut Component, layout: &Layout<'_>) {
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: layout.instance + 1, kind: ExportKind::Func, name: SILENT });
    component.section(&aliases);

    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(layout.core_functions + PROBE_FUNCTIONS, SILENT_TYPE, NO_OPTIONS);
    component.section(&lifted);

    let mut exports = ComponentExportSection::new();
    exports.export(SILENT, ComponentExportKind::Func, layout.functions + PROBE_FUNCTIONS, None);
    component.section(&exports);
}

struct Rewriter<'a> {
    /// Types and components around the item that is being written.
    depth: u32,
    /// Core modules of the outermost component so far.
    modules: u32,
    program: u32,
    module: &'a [u8],
}

impl Rewriter<'_> {
    /// An index of the component or type that is being written: only the outermost component's move.
    fn moved(&self, index: u32, by: u32) -> u32 {
        if self.depth == 0 { index + by } else { index }
    }
}

impl Reencode for Rewriter<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(self.moved(function, PROBE_FUNCTIONS))
    }
}

impl ReencodeComponent for Rewriter<'_> {
    fn component_type_index(&mut self, ty: u32) -> u32 {
        self.moved(ty, TYPES)
    }

    fn component_instance_index(&mut self, instance: u32) -> u32 {
        self.moved(instance, 1)
    }

    fn component_func_index(&mut self, function: u32) -> u32 {
        self.moved(function, PROBE_FUNCTIONS)
    }

    fn instance_index(&mut self, instance: u32) -> u32 {
        self.moved(instance, 1)
    }

    fn outer_component_type_index(&mut self, count: u32, ty: u32) -> u32 {
        if count == self.depth { ty + TYPES } else { ty }
    }

    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_submodule(&mut self, component: &mut Component, _: Parser, module: &[u8]) -> Result<(), Error> {
        let mut data = module;
        if self.depth == 0 {
            if self.modules == self.program {
                data = self.module;
            }
            self.modules += 1;
        }
        component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data });
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: wasmparser::Instance<'_>,
    ) -> Result<(), Error> {
        let wasmparser::Instance::Instantiate { module_index, args } = &instance else {
            return component_utils::parse_instance(self, instances, instance);
        };
        let mut arguments = Vec::new();
        for argument in args {
            let InstantiationArgKind::Instance = argument.kind;
            arguments.push((argument.name, ModuleArg::Instance(self.instance_index(argument.index))));
        }
        if self.depth == 0 && *module_index == self.program {
            arguments.push((PROBES, ModuleArg::Instance(0)));
        }
        instances.instantiate(self.module_index(*module_index), arguments);
        Ok(())
    }

    /// Names would be of the wrong items, and nothing else in custom sections is of use here.
    fn parse_component_custom_section(
        &mut self,
        _: &mut Component,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{InstrumentError, instrument};

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the component's text is right")
    }

    /// Every kind of index that moves: types (aliased from inside, too), instances, functions, core functions and core
    /// instances; and a nested component and a second module, in which nothing moves.
    const EVERY_INDEX: &str = r#"(component
        (type $number u32)
        (import "a:b/host" (instance $host
          (alias outer 1 $number (type $n)) (export "f" (func (param "x" $n) (result $n)))))
        (core module $shim (func (export "pass") (param i32)))
        (core module $program
          (import "host" "f" (func $f (param i32) (result i32)))
          (import "shim" "pass" (func $pass (param i32)))
          (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
          (func (export "run") (param i32) (result i32) (call $pass (local.get 0)) (call $f (local.get 0)))
          (func (export "done") (param i32)))
        (core instance $shimmed (instantiate $shim))
        (alias export $host "f" (func $imported))
        (core func $lowered (canon lower (func $imported)))
        (core instance $arguments (export "f" (func $lowered)))
        (core instance $main (instantiate $program
          (with "host" (instance $arguments)) (with "shim" (instance $shimmed))))
        (alias core export $main "memory" (core memory $memory))
        (type $run (func (param "x" $number) (result $number)))
        (func $run (type $run) (canon lift (core func $main "run")
          (memory $memory) (realloc (core func $main "realloc")) (post-return (core func $main "done"))))
        (component $wrapper
          (type $inner (func (param "x" u32) (result u32)))
          (import "run" (func $run (type $inner)))
          (export "run" (func $run)))
        (instance $wrapped (instantiate $wrapper (with "run" (func $run))))
        (export "a:b/program" (instance $wrapped)))"#;

    #[test]
    fn every_index_follows_what_it_names() {
        let rewritten = instrument(&component(EVERY_INDEX)).expect("it can be rewritten");
        assert_eq!(rewritten.functions, ["realloc", "run", "done"]);
        wasm_encoder_parser::Validator::new().validate_all(&rewritten.component).expect("what was rewritten is valid");
    }

    #[test]
    fn a_component_without_or_with_two_programs_err() {
        let with = |modules: &str| instrument(&component(&format!("(component {modules})"))).map(drop);
        let memory = "(core module $p (memory 1))";
        assert_eq!(with(&format!("{memory} (core instance (instantiate $p))")), Ok(()));
        assert!(with(memory).is_err(), "it is not instantiated");
        assert_eq!(with("(core module)"), Err(InstrumentError::Programs(0)));
        assert_eq!(with("(core module (memory 1)) (core module (memory 1))"), Err(InstrumentError::Programs(2)));
    }

    #[test]
    fn bytes_that_are_no_component_err() {
        for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0", &[0xff; 64]] {
            assert!(instrument(bytes).is_err(), "{bytes:?}");
        }
        let whole = component(EVERY_INDEX);
        for cut in (0..whole.len()).step_by(7) {
            let _ = instrument(&whole[..cut]);
        }
    }
}
