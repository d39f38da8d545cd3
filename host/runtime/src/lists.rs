//! A list of f32 that stays in the guest's memory.
//!
//! The engine shows such lists in place for integers only. A `Vec<f32>` would be copied before anything is charged for it.
#![expect(unsafe_code, reason = "the engine's lifting traits are unsafe to implement; see the argument below")]

use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift, WasmList};
use wasmtime::{Result, StoreContext};

/// `list<f32>`, as the bits of its values.
pub(crate) struct F32List(WasmList<u32>);

impl F32List {
    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The values' bits, in place. Little-endian, as guest memory is; the hosts are, too.
    pub(crate) fn bits<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u32] {
        self.0.as_le_slice(store)
    }
}

#[cfg(not(target_endian = "little"))]
compile_error!("lists are read in place, which wants a little-endian host");

// SAFETY: the layout is that of `WasmList<u32>`, which is that of every list: a pointer and a length. The type check is
// that of `list<f32>`, whose elements have the size and alignment of u32, so everything that `WasmList<u32>` checks of
// the pointer and the length when it lifts holds for this list too; every bit pattern is a u32.
unsafe impl ComponentType for F32List {
    type Lower = <WasmList<u32> as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <WasmList<u32> as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <WasmList<f32> as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: forwards to `WasmList<u32>`; see above.
unsafe impl Lift for F32List {
    fn linear_lift_from_flat(context: &mut LiftContext<'_>, ty: InterfaceType, flat: &Self::Lower) -> Result<Self> {
        WasmList::linear_lift_from_flat(context, ty, flat).map(Self)
    }

    fn linear_lift_from_memory(context: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        WasmList::linear_lift_from_memory(context, ty, bytes).map(Self)
    }
}
