//! Everything the host holds for one instance. Made anew for each phase: nothing carries over.

use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand_chacha::ChaCha20Rng;
use thimble_kernels::Workspace;
use wasmtime::component::ResourceTable;
use wasmtime::{AsContextMut, Engine, Store, Trap};

use crate::clock::Clock;
use crate::journal::Recorder;
use crate::limiter::Limiter;
use crate::loader::TrainingData;
use crate::profile::{FuelLeft, Tracer};
use crate::tariff::TARIFF;

/// Component handles that may be alive at once.
const HANDLES: usize = 1_000;

/// Fuel between two looks at the clock of a guest that calls nothing: 3 µs of packed float code, 0.4 s of the slowest code
/// known (a loop that permutes two thousand 128-bit locals for the 2 fuel of its branch, 370 ns per fuel). One bulk
/// operator over a large memory can take longer by itself.
pub(crate) const YIELD_INTERVAL: u64 = 1_000_000;

/// The host's side of one instance.
pub(crate) struct HostState {
    pub(crate) limiter: Limiter,
    pub(crate) resources: ResourceTable,
    pub(crate) clock: Clock,
    pub(crate) journal: Recorder,
    pub(crate) random: ChaCha20Rng,
    /// Buffers of the import `kernels`: bounded, so they are not the guest's.
    pub(crate) workspace: Workspace,
    /// `None` in a predictor: there is no way from it to any data.
    pub(crate) training: Option<Arc<TrainingData>>,
    /// What host calls have charged since the store was made.
    pub(crate) host_fuel: HostFuel,
    /// What `fuel-left` answers.
    pub(crate) fuel_left: FuelLeft,
    /// Only where the program has probes.
    pub(crate) tracer: Option<Tracer>,
}

/// Fuel that the host charged, by what for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HostFuel {
    /// The flat price of calls.
    pub(crate) calls: u64,
    /// Bytes of arguments and results.
    pub(crate) transfers: u64,
    /// Arithmetic on the guest's behalf.
    pub(crate) kernels: u64,
}

impl HostFuel {
    pub(crate) const fn total(self) -> u64 {
        self.calls.saturating_add(self.transfers).saturating_add(self.kernels)
    }

    /// What was charged after `earlier`; `None` if that is not earlier.
    pub(crate) fn since(self, earlier: Self) -> Option<Self> {
        Some(Self {
            calls: self.calls.checked_sub(earlier.calls)?,
            transfers: self.transfers.checked_sub(earlier.transfers)?,
            kernels: self.kernels.checked_sub(earlier.kernels)?,
        })
    }
}

impl AddAssign for HostFuel {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.transfers += other.transfers;
        self.kernels += other.kernels;
    }
}

impl HostState {
    /// A store around this state.
    pub(crate) fn into_store(mut self, engine: &Engine, hostcall_bytes: usize) -> wasmtime::Result<Store<Self>> {
        self.resources.set_max_capacity(HANDLES);
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(hostcall_bytes);
        store.set_max_component_handles(HANDLES);
        store.fuel_async_yield_interval(Some(YIELD_INTERVAL))?;
        Ok(store)
    }
}

/// Charges a call to an import that moves `bytes`, before the work, and looks at the clock.
///
/// Setting the fuel also restarts the yield interval, so a guest that keeps calling the host never yields; that is why
/// the clock is read here too.
pub(crate) fn charge_call(store: impl AsContextMut<Data = HostState>, bytes: u64) -> wasmtime::Result<()> {
    charge(store, HostFuel { calls: TARIFF.host_call(0), transfers: TARIFF.transfer(bytes), kernels: 0 })
}

/// Charges `bytes` of arguments or results of an export, or bytes whose number shows only after the call was charged.
pub(crate) fn charge_transfer(store: impl AsContextMut<Data = HostState>, bytes: u64) -> wasmtime::Result<()> {
    charge(store, HostFuel { transfers: TARIFF.transfer(bytes), ..HostFuel::default() })
}

/// Charges a product of the import `kernels`, before the work, and looks at the clock.
pub(crate) fn charge_gemm(store: impl AsContextMut<Data = HostState>, multiply_adds: u64) -> wasmtime::Result<()> {
    charge(store, HostFuel { calls: TARIFF.host_call(0), transfers: 0, kernels: TARIFF.multiply_adds(multiply_adds) })
}

fn charge(mut store: impl AsContextMut<Data = HostState>, fuel: HostFuel) -> wasmtime::Result<()> {
    let mut context = store.as_context_mut();
    context.data().clock.check()?;
    let Some(left) = context.get_fuel()?.checked_sub(fuel.total()) else {
        context.set_fuel(0)?;
        return Err(Trap::OutOfFuel.into());
    };
    context.data().clock.fuel_seen.store(left, Ordering::Relaxed);
    context.data_mut().host_fuel += fuel;
    context.set_fuel(left)
}
