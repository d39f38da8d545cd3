//! The WASI interfaces that a guest's standard library needs, and no more.
//!
//! Every call is charged and none waits: clocks stand still, randomness is seeded, standard input is closed, output goes
//! to the journal, and there are no files, arguments, variables or sockets. Resources carry no state, so their
//! representation is always 0 and no table holds them; the engine caps the handles.

use rand_chacha::rand_core::Rng;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList};

use crate::state::{HostState, charge_call};
use crate::stop::ImportMisuse;

/// Bytes that one stream write may carry.
const WRITE_PERMIT: u64 = 4096;
/// Bytes that one call for randomness may ask for.
const RANDOM_BYTES: u64 = 64 << 10;
/// What a handle in a list counts as: finding it costs the host far more than its 4 bytes.
const POLL_HANDLE_BYTES: u64 = 256;
/// What every clock shows: 2026-01-01T00:00:00Z.
const WALL_SECONDS: u64 = 1_767_225_600;

type Store<'a> = StoreContextMut<'a, HostState>;
type Interface<'a> = LinkerInstance<'a, HostState>;

#[derive(Debug)]
struct IoError;
#[derive(Debug)]
struct Pollable;
#[derive(Debug)]
struct InputStream;
#[derive(Debug)]
struct OutputStream;
#[derive(Debug)]
struct TerminalInput;
#[derive(Debug)]
struct TerminalOutput;
#[derive(Debug)]
struct Descriptor;
#[derive(Debug)]
struct DirectoryEntryStream;

#[derive(ComponentType, Lower, Lift)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    /// Part of the interface's type; no operation here fails.
    Failed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower, Lift)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

fn resource<T: 'static>(interface: &mut Interface<'_>, name: &str) -> wasmtime::Result<()> {
    interface.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

fn own<T: 'static>() -> Resource<T> {
    Resource::new_own(0)
}

/// Defines every interface below.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    add_io(linker)?;
    add_cli(linker)?;
    add_clocks(linker)?;
    add_random(linker)?;
    add_filesystem(linker)
}

fn add_io(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut error = linker.instance("wasi:io/error@0.2.0")?;
    resource::<IoError>(&mut error, "error")?;
    error.func_wrap("[method]error.to-debug-string", |mut store: Store<'_>, _: (Resource<IoError>,)| {
        charge_call(&mut store, 0)?;
        Ok((String::new(),))
    })?;

    let mut poll = linker.instance("wasi:io/poll@0.2.0")?;
    resource::<Pollable>(&mut poll, "pollable")?;
    poll.func_wrap("[method]pollable.ready", |mut store: Store<'_>, _: (Resource<Pollable>,)| {
        charge_call(&mut store, 0)?;
        Ok((true,))
    })?;
    poll.func_wrap("[method]pollable.block", |mut store: Store<'_>, _: (Resource<Pollable>,)| {
        charge_call(&mut store, 0)
    })?;
    poll.func_wrap("poll", |mut store: Store<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
        charge_call(&mut store, pollables.len() as u64 * POLL_HANDLE_BYTES)?;
        Ok(((0..pollables.len() as u32).collect::<Vec<_>>(),))
    })?;

    let mut streams = linker.instance("wasi:io/streams@0.2.0")?;
    resource::<InputStream>(&mut streams, "input-stream")?;
    resource::<OutputStream>(&mut streams, "output-stream")?;
    add_input(&mut streams)?;
    add_output(&mut streams)
}

fn add_input(streams: &mut Interface<'_>) -> wasmtime::Result<()> {
    for name in ["read", "blocking-read"] {
        let name = format!("[method]input-stream.{name}");
        streams.func_wrap(&name, |mut store: Store<'_>, _: (Resource<InputStream>, u64)| {
            charge_call(&mut store, 0)?;
            Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
        })?;
    }
    for name in ["skip", "blocking-skip"] {
        let name = format!("[method]input-stream.{name}");
        streams.func_wrap(&name, |mut store: Store<'_>, _: (Resource<InputStream>, u64)| {
            charge_call(&mut store, 0)?;
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |mut store: Store<'_>, _: (Resource<InputStream>,)| {
        charge_call(&mut store, 0)?;
        Ok((own::<Pollable>(),))
    })
}

fn add_output(streams: &mut Interface<'_>) -> wasmtime::Result<()> {
    streams.func_wrap("[method]output-stream.check-write", |mut store: Store<'_>, _: (Resource<OutputStream>,)| {
        charge_call(&mut store, 0)?;
        // A constant: what was written before must not show.
        Ok((Ok::<_, StreamError>(WRITE_PERMIT),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        streams.func_wrap(&format!("[method]output-stream.{name}"), write)?;
    }
    for name in ["flush", "blocking-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut store: Store<'_>, _: (Resource<OutputStream>,)| {
            charge_call(&mut store, 0)?;
            Ok((Ok::<(), StreamError>(()),))
        })?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut store: Store<'_>, (_, len): (Resource<OutputStream>, u64)| {
            permit(len)?;
            charge_call(&mut store, len)?;
            store.data_mut().journal.log(&vec![0; len as usize]);
            Ok((Ok::<(), StreamError>(()),))
        })?;
    }
    for name in ["splice", "blocking-splice"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut store: Store<'_>, _: (Resource<OutputStream>, Resource<InputStream>, u64)| {
            charge_call(&mut store, 0)?;
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    streams.func_wrap("[method]output-stream.subscribe", |mut store: Store<'_>, _: (Resource<OutputStream>,)| {
        charge_call(&mut store, 0)?;
        Ok((own::<Pollable>(),))
    })
}

fn permit(value: u64) -> Result<(), ImportMisuse> {
    if value > WRITE_PERMIT { Err(ImportMisuse::StreamWrite { limit: WRITE_PERMIT, value }) } else { Ok(()) }
}

fn write(
    mut store: Store<'_>,
    (_, bytes): (Resource<OutputStream>, WasmList<u8>),
) -> wasmtime::Result<(Result<(), StreamError>,)> {
    permit(bytes.len() as u64)?;
    charge_call(&mut store, bytes.len() as u64)?;
    let copy = bytes.as_le_slice(&store).to_vec();
    store.data_mut().journal.log(&copy);
    Ok((Ok(()),))
}

fn add_cli(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut environment = linker.instance("wasi:cli/environment@0.2.0")?;
    environment.func_wrap("get-environment", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 0)?;
        Ok((Vec::<(String, String)>::new(),))
    })?;
    environment.func_wrap("get-arguments", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 0)?;
        Ok((Vec::<String>::new(),))
    })?;
    environment.func_wrap("initial-cwd", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 0)?;
        Ok((None::<String>,))
    })?;
    linker
        .instance("wasi:cli/exit@0.2.0")?
        .func_wrap("exit", |_: Store<'_>, _: (Result<(), ()>,)| Err::<(), _>(ImportMisuse::Exit.into()))?;
    linker.instance("wasi:cli/stdin@0.2.0")?.func_wrap("get-stdin", handle::<InputStream>)?;
    linker.instance("wasi:cli/stdout@0.2.0")?.func_wrap("get-stdout", handle::<OutputStream>)?;
    linker.instance("wasi:cli/stderr@0.2.0")?.func_wrap("get-stderr", handle::<OutputStream>)?;
    resource::<TerminalInput>(&mut linker.instance("wasi:cli/terminal-input@0.2.0")?, "terminal-input")?;
    resource::<TerminalOutput>(&mut linker.instance("wasi:cli/terminal-output@0.2.0")?, "terminal-output")?;
    linker.instance("wasi:cli/terminal-stdin@0.2.0")?.func_wrap("get-terminal-stdin", no_handle::<TerminalInput>)?;
    linker.instance("wasi:cli/terminal-stdout@0.2.0")?.func_wrap("get-terminal-stdout", no_handle::<TerminalOutput>)?;
    linker.instance("wasi:cli/terminal-stderr@0.2.0")?.func_wrap("get-terminal-stderr", no_handle::<TerminalOutput>)
}

fn handle<T: 'static>(mut store: Store<'_>, (): ()) -> wasmtime::Result<(Resource<T>,)> {
    charge_call(&mut store, 0)?;
    Ok((own::<T>(),))
}

fn no_handle<T: 'static>(mut store: Store<'_>, (): ()) -> wasmtime::Result<(Option<Resource<T>>,)> {
    charge_call(&mut store, 0)?;
    Ok((None,))
}

fn add_clocks(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.0")?;
    wall.func_wrap("now", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 12)?;
        Ok((Datetime { seconds: WALL_SECONDS, nanoseconds: 0 },))
    })?;
    wall.func_wrap("resolution", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 12)?;
        Ok((Datetime { seconds: 1, nanoseconds: 0 },))
    })?;
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.0")?;
    for (name, value) in [("now", 0_u64), ("resolution", 1)] {
        monotonic.func_wrap(name, move |mut store: Store<'_>, (): ()| {
            charge_call(&mut store, 8)?;
            Ok((value,))
        })?;
    }
    for name in ["subscribe-duration", "subscribe-instant"] {
        monotonic.func_wrap(name, |mut store: Store<'_>, _: (u64,)| {
            charge_call(&mut store, 8)?;
            Ok((own::<Pollable>(),))
        })?;
    }
    Ok(())
}

fn add_random(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let interfaces = [
        ("wasi:random/random@0.2.0", "get-random-bytes", "get-random-u64"),
        ("wasi:random/insecure@0.2.0", "get-insecure-random-bytes", "get-insecure-random-u64"),
    ];
    for (interface, bytes, word) in interfaces {
        let mut random = linker.instance(interface)?;
        random.func_wrap(bytes, |mut store: Store<'_>, (value,): (u64,)| {
            if value > RANDOM_BYTES {
                return Err(ImportMisuse::RandomBytes { limit: RANDOM_BYTES, value }.into());
            }
            charge_call(&mut store, value)?;
            let mut drawn = vec![0; value as usize];
            store.data_mut().random.fill_bytes(&mut drawn);
            Ok((drawn,))
        })?;
        random.func_wrap(word, |mut store: Store<'_>, (): ()| {
            charge_call(&mut store, 8)?;
            Ok((store.data_mut().random.next_u64(),))
        })?;
    }
    linker.instance("wasi:random/insecure-seed@0.2.0")?.func_wrap("insecure-seed", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 16)?;
        let random = &mut store.data_mut().random;
        Ok(((random.next_u64(), random.next_u64()),))
    })
}

/// No directory is open, so no descriptor can exist and none of the functions can be reached.
fn add_filesystem(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    linker.instance("wasi:filesystem/preopens@0.2.0")?.func_wrap(
        "get-directories",
        |mut store: Store<'_>, (): ()| {
            charge_call(&mut store, 0)?;
            Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
        },
    )?;
    let mut types = linker.instance("wasi:filesystem/types@0.2.0")?;
    resource::<Descriptor>(&mut types, "descriptor")?;
    resource::<DirectoryEntryStream>(&mut types, "directory-entry-stream")?;
    for name in FILESYSTEM {
        types.func_new(name, |_, _, _, _| Err(ImportMisuse::Files.into()))?;
    }
    Ok(())
}

const FILESYSTEM: &[&str] = &[
    "[method]descriptor.read-via-stream",
    "[method]descriptor.write-via-stream",
    "[method]descriptor.append-via-stream",
    "[method]descriptor.advise",
    "[method]descriptor.sync-data",
    "[method]descriptor.get-flags",
    "[method]descriptor.get-type",
    "[method]descriptor.set-size",
    "[method]descriptor.set-times",
    "[method]descriptor.read",
    "[method]descriptor.write",
    "[method]descriptor.read-directory",
    "[method]descriptor.sync",
    "[method]descriptor.create-directory-at",
    "[method]descriptor.stat",
    "[method]descriptor.stat-at",
    "[method]descriptor.set-times-at",
    "[method]descriptor.link-at",
    "[method]descriptor.open-at",
    "[method]descriptor.readlink-at",
    "[method]descriptor.remove-directory-at",
    "[method]descriptor.rename-at",
    "[method]descriptor.symlink-at",
    "[method]descriptor.unlink-file-at",
    "[method]descriptor.is-same-object",
    "[method]descriptor.metadata-hash",
    "[method]descriptor.metadata-hash-at",
    "[method]directory-entry-stream.read-directory-entry",
    "filesystem-error-code",
];
