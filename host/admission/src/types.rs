//! Type sections of components, read without recursion.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExternName, ComponentImport, ComponentType, ComponentTypeRef, CoreType,
    FromReader, SectionLimited,
};

use crate::facts::Usage;
use crate::features::features;
use crate::limits::Limit;
use crate::refusal::{Place, Refusal, Rule};

const COMPONENT_TYPE: u8 = 0x41;
const INSTANCE_TYPE: u8 = 0x42;

const DECLARED_CORE_TYPE: u8 = 0x00;
const DECLARED_TYPE: u8 = 0x01;
const DECLARED_ALIAS: u8 = 0x02;
const DECLARED_IMPORT: u8 = 0x03;
const DECLARED_EXPORT: u8 = 0x04;

/// Counts the types of a section and the depth at which they are declared inside each other.
///
/// wasmparser reads a component or instance type by recursion, one call for each level of nesting and three bytes of
/// input: a few hundred kilobytes would overflow the stack, which ends the process. So the levels are opened here, one
/// at a time, before anything reads the section as a whole.
pub(crate) fn check(
    component: &[u8],
    section: &SectionLimited<'_, ComponentType<'_>>,
    usage: &mut Usage<'_>,
) -> Result<(), Refusal> {
    let range = section.range();
    let bytes = component.get(range.clone()).unwrap_or_default();
    let mut reader = BinaryReader::new_features(bytes, range.start, features());
    let mut open = Open { left: vec![read(&mut reader)?] };
    while let Some(level) = open.next_item() {
        if level == 0 {
            type_(&mut reader, &mut open, usage)?;
        } else {
            declaration(&mut reader, &mut open, usage)?;
        }
    }
    Ok(())
}

/// Items still to be read of the section and of each type that is open.
struct Open {
    left: Vec<u32>,
}

impl Open {
    /// The depth of the next item; 0 is the section itself.
    fn next_item(&mut self) -> Option<usize> {
        while let Some(left) = self.left.last_mut() {
            if let Some(rest) = left.checked_sub(1) {
                *left = rest;
                return Some(self.left.len() - 1);
            }
            self.left.pop();
        }
        None
    }
}

fn type_(reader: &mut BinaryReader<'_>, open: &mut Open, usage: &mut Usage<'_>) -> Result<(), Refusal> {
    usage.add(Limit::ComponentTypes, 1)?;
    let leading = read_byte(&mut reader.clone())?;
    if leading != COMPONENT_TYPE && leading != INSTANCE_TYPE {
        return read::<ComponentType<'_>>(reader).map(drop);
    }
    usage.at_most(Limit::TypeNesting, open.left.len() as u64, || Place::Offset(reader.original_position()))?;
    read_byte(reader)?;
    open.left.push(read(reader)?);
    Ok(())
}

/// One item inside a component or instance type. Whether the kind is legal there is decided by validation.
fn declaration(reader: &mut BinaryReader<'_>, open: &mut Open, usage: &mut Usage<'_>) -> Result<(), Refusal> {
    match read_byte(reader)? {
        DECLARED_TYPE => return type_(reader, open, usage),
        DECLARED_CORE_TYPE => {
            read::<CoreType<'_>>(reader)?;
        }
        DECLARED_ALIAS => {
            read::<ComponentAlias<'_>>(reader)?;
        }
        DECLARED_IMPORT => {
            read::<ComponentImport<'_>>(reader)?;
        }
        DECLARED_EXPORT => {
            read::<ComponentExternName<'_>>(reader)?;
            read::<ComponentTypeRef>(reader)?;
        }
        other => {
            let detail = format!("declares {other:#04x} in a type, which is nothing");
            return Err(Refusal::broken(Rule::Malformed, Place::Offset(reader.original_position()), detail));
        }
    }
    usage.add(Limit::ComponentTypes, 1)
}

fn read_byte(reader: &mut BinaryReader<'_>) -> Result<u8, Refusal> {
    reader.read_u8().map_err(|e| Refusal::malformed(&e))
}

fn read<'a, T: FromReader<'a>>(reader: &mut BinaryReader<'a>) -> Result<T, Refusal> {
    reader.read().map_err(|e| Refusal::malformed(&e))
}
