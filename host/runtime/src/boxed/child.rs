//! What runs inside a boxed child: a guest, and nothing that it could reach.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::RawFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use thimble_challenge::result::Mode;
use thimble_datasets::{Split, SplitTable};
use thimble_sandbox::{Layer, frame, lock, seal_code, take_descriptor};

use super::TRAINING_DESCRIPTORS;
use super::message::{Command, Happened, Job, Reply, TrainingFiles, received, sent};
use super::settings::{ARTIFACT_FRAME, COMMAND_FRAME, JOB_FRAME, REPLY_FRAME, Settings};
use crate::artifact;
use crate::clock::Clock;
use crate::instance::Program;
use crate::journal::Recorder;
use crate::learn;
use crate::loader::TrainingData;
use crate::machine::Machine;
use crate::observe::{Event, Observer};
use crate::predictor::{Inputs, Predictor};
use crate::session::{Left, Session, Terms};
use crate::stop::{PlatformFault, Stop};

/// Closes the box, and then runs what standard input says. `settings` is the argument that the parent gave.
pub fn run_child(settings: &str) -> ExitCode {
    run(settings, Machine::without_compiler)
}

/// As [`run_child`], with an engine that fails its host: `journal.log` runs `escape` inside the box and logs what it returns. For
/// tests of the box.
#[doc(hidden)]
pub fn run_escaping_child(settings: &str, escape: fn(&str) -> String) -> ExitCode {
    run(settings, |mode| Machine::with_escape(mode, escape))
}

fn run(settings: &str, machine: impl FnOnce(Mode) -> wasmtime::Result<Machine>) -> ExitCode {
    let pipes = Pipes;
    match closed(settings, machine).and_then(|child| child.work(&pipes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // A parent that has gone hears nothing more.
            let _ = pipes.reply(&Reply::Fault(fault));
            ExitCode::FAILURE
        }
    }
}

/// A child in its box, which has not read anything yet.
struct Closed {
    mode: Mode,
    machine: Machine,
    layers: BTreeSet<Layer>,
    training: Option<[File; 2]>,
}

/// Puts on every layer. What needs the machine comes before: the engine looks at the processor and installs its handlers.
fn closed(settings: &str, machine: impl FnOnce(Mode) -> wasmtime::Result<Machine>) -> Result<Closed, String> {
    let settings: Settings = settings.parse()?;
    let machine = machine(settings.mode).map_err(|error| format!("{error:#}"))?;
    let kept: &[RawFd] = if settings.learns { &TRAINING_DESCRIPTORS } else { &[] };
    let layers = lock(&settings.policy()?, &settings.limits(), kept, thimble_sandbox::Job::Run);
    let layers = layers.map_err(|error| error.to_string())?;
    let training = settings.learns.then(training_files).transpose().map_err(|error| error.to_string())?;
    Ok(Closed { mode: settings.mode, machine, layers, training })
}

fn training_files() -> std::io::Result<[File; 2]> {
    let [train, validation] = TRAINING_DESCRIPTORS;
    Ok([take_descriptor(train)?.into(), take_descriptor(validation)?.into()])
}

impl Closed {
    fn work(self, pipes: &Pipes) -> Result<(), String> {
        let Self { mode, machine, layers, training } = self;
        pipes.reply(&Reply::Closed { layers: layers.iter().map(|layer| layer.name().to_owned()).collect() })?;
        let job: Job = serde_json::from_slice(&pipes.frame(JOB_FRAME)?.ok_or("no job came")?)
            .map_err(|error| format!("the job cannot be read: {error}"))?;
        let artifact = pipes.frame(ARTIFACT_FRAME)?.ok_or("no machine code came")?;
        let linked = artifact::load_from_parent(&machine.engine, &artifact)
            .map_err(Stop::from)
            .and_then(|component| machine.link(&component));
        drop(artifact);
        let program = match linked {
            Ok(program) => program,
            Err(stop) => return pipes.reply(&Reply::Stopped { stop: stop.into(), left: Left::default() }),
        };
        seal_code(&layers).map_err(|error| error.to_string())?;
        let tables = training.zip(job.training.as_ref()).map(|(files, told)| open(files, told, job.rows));
        let training = tables
            .transpose()?
            .map(|[train, validation]| TrainingData::new(&job.challenge, Arc::new(train), Arc::new(validation)));
        pipes.reply(&Reply::Linked)?;

        let terms = Terms { challenge: &job.challenge, mode, rows: job.rows };
        // Cancelling is the parent's: it ends this process.
        let clock = Clock::new(job.challenge.limits.wall_seconds, Arc::new(AtomicBool::new(false)));
        let mut heard = Heard;
        let mut session = Session::new(terms, clock, &mut heard);
        let mut guest = BoxedGuest { program, training, predictor: None };
        while let Some(command) = pipes.command()? {
            let reply = match guest.carry_out(&mut session, command) {
                Ok(reply) => reply,
                Err(stop) => {
                    guest.give_up(&mut session, Some(&stop));
                    let left = std::mem::take(&mut session.left);
                    Reply::Stopped { stop: stop.without_guest_text().into(), left }
                }
            };
            pipes.reply(&reply)?;
        }
        Ok(())
    }
}

/// What a parent's commands are carried out on.
struct BoxedGuest {
    program: Program,
    /// Until it was used.
    training: Option<TrainingData>,
    predictor: Option<Predictor>,
}

impl BoxedGuest {
    fn carry_out(&mut self, session: &mut Session<'_>, command: Command) -> Result<Reply, Stop> {
        match command {
            Command::Learn { wall_millis } => {
                session.clock.start_with(Duration::from_millis(wall_millis));
                let training = self.training.take().ok_or_else(|| out_of_order("learn"))?;
                let learned = learn::learn(session, &self.program, training)?;
                let left = std::mem::take(&mut session.left);
                Ok(Reply::Learned { tensors: sent(&learned.tensors), fuel: learned.metered.fuel.0, left })
            }
            Command::Predictor { batch_size, heard, wall_millis } => {
                session.clock.start_with(Duration::from_millis(wall_millis));
                let journal = if heard { session.recorder() } else { Recorder::deaf() };
                self.predictor = Some(Predictor::new(session, &self.program, journal, batch_size as usize)?);
                Ok(Reply::Done)
            }
            Command::Load { parameters } => {
                self.predictor()?.load(session, &received(parameters)?)?;
                Ok(Reply::Done)
            }
            Command::Predict { inputs, bytes } => {
                let inputs = Inputs { tensors: received(inputs)?, bytes };
                Ok(Reply::Outputs { tensors: sent(&self.predictor()?.predict(session, &inputs)?) })
            }
            Command::End => Ok(Reply::Ended { fuel: self.predictor()?.end(session)?.fuel.0 }),
            Command::Leave => {
                self.give_up(session, None);
                Ok(Reply::Left(std::mem::take(&mut session.left)))
            }
        }
    }

    fn predictor(&mut self) -> Result<&mut Predictor, Stop> {
        self.predictor.as_mut().ok_or_else(|| out_of_order("predict"))
    }

    /// Drops the instance, if there is one.
    fn give_up(&mut self, session: &mut Session<'_>, stop: Option<&Stop>) {
        if let Some(predictor) = self.predictor.take() {
            predictor.leave(session, stop);
        }
    }
}

fn out_of_order(command: &str) -> Stop {
    Stop::Platform(PlatformFault::Sandbox(format!("a child was told to {command} when it could not")))
}

/// The splits of a learner, in the files it was given.
fn open(files: [File; 2], told: &TrainingFiles, rows: [u64; 3]) -> Result<[SplitTable; 2], String> {
    let [train, validation] = files;
    let [train_rows, validation_rows, _] = rows;
    let [train_length, validation_length] = told.lengths;
    let open = |file, length: u64, split, rows: u64| {
        let size = |value| usize::try_from(value).unwrap_or(usize::MAX);
        SplitTable::of_checked_file((file, size(length)), split, told.fields.clone(), size(rows))
            .map_err(|error| error.to_string())
    };
    Ok([
        open(train, train_length, Split::Train, train_rows)?,
        open(validation, validation_length, Split::Validation, validation_rows)?,
    ])
}

/// Standard input and output.
struct Pipes;

impl Pipes {
    fn frame(&self, limit: u64) -> Result<Option<Vec<u8>>, String> {
        frame::read(std::io::stdin().lock(), limit).map_err(|error| error.to_string())
    }

    /// `None` when the parent has no more to say.
    fn command(&self) -> Result<Option<Command>, String> {
        let Some(bytes) = self.frame(COMMAND_FRAME)? else { return Ok(None) };
        postcard::from_bytes(&bytes).map(Some).map_err(|error| format!("a command cannot be read: {error}"))
    }

    fn reply(&self, reply: &Reply) -> Result<(), String> {
        let bytes = postcard::to_allocvec(reply).map_err(|error| format!("a reply cannot be written: {error}"))?;
        frame::write(std::io::stdout().lock(), &bytes, REPLY_FRAME).map_err(|error| error.to_string())
    }
}

/// Tells the parent what happens while a command is carried out.
struct Heard;

impl Observer for Heard {
    fn event(&mut self, event: Event<'_>) {
        if let Some(happened) = Happened::of(event) {
            // A parent that has gone hears nothing; the next reply finds out.
            let _ = Pipes.reply(&Reply::Event(happened));
        }
    }
}
