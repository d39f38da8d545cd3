//! `thimble:solution/journal`.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use crate::state::{HostState, charge_call, charge_transfer};
use crate::stop::ImportMisuse;

type Store<'a> = StoreContextMut<'a, HostState>;

/// Defines `thimble:solution/journal`.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut journal = linker.instance("thimble:solution/journal@0.1.0")?;
    // A `WasmStr` is a pointer into guest memory: nothing is copied before the call is charged.
    journal.func_wrap("log", |mut store: Store<'_>, (message,): (WasmStr,)| {
        charge_call(&mut store, 0)?;
        let text = message.to_str(&store)?.into_owned();
        charge_transfer(&mut store, text.len() as u64)?;
        let recorder = &mut store.data_mut().journal;
        recorder.log(text.as_bytes());
        recorder.log(b"\n");
        Ok(())
    })?;
    journal.func_wrap("record", |mut store: Store<'_>, (series, step, value): (WasmStr, u64, f64)| {
        charge_call(&mut store, 16)?;
        let series = series.to_str(&store)?.into_owned();
        charge_transfer(&mut store, series.len() as u64)?;
        store.data_mut().journal.record(&series, step, value);
        Ok(())
    })?;
    journal.func_wrap("fuel-left", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 8)?;
        // What is left of a prediction budget would tell a predictor what came before it.
        if store.data().training.is_none() {
            return Err(ImportMisuse::FuelLeft.into());
        }
        Ok((store.get_fuel()?,))
    })
}
