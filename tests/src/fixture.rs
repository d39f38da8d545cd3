//! Small challenges and datasets: a hostile guest meets its limit in well under a second.

use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{
    CarbonFactors, DatasetBindings, Limits, LoadedChallenge, MetricOptions, PublicDataset, PublicSource, Quotas,
    Ranking, ReleaseRule, RowRule, ScoreRule, Target, TieBreak, Visibility,
};
use thimble_challenge::result::Mode;
use thimble_challenge::units::{Flops, ParameterCount};
use thimble_datasets::{Classes, DType, Dataset, Digest, Field, OperatorSecret, Table, Tables, TaskKind, Values};
use thimble_runtime::{BoundData, PublicData};

/// Classes of [`tables`].
pub const CLASSES: u32 = 4;
/// Values of one input row of [`tables`].
pub const INPUT_DIM: u32 = 8;
/// Rows of the training, validation and test splits of [`tables`].
pub const ROWS: [usize; 3] = [64, 16, 40];
/// Bytes that a guest's memories may hold together.
pub const MEMORY: u64 = 64 << 20;

/// A dataset of four classes in eight dimensions; row `i` is of class `i % 4`, and its input is 1 at that class's place
/// and a small number elsewhere. The same numbers on every machine.
pub fn tables() -> Tables {
    let mut state = 1_u32;
    let mut noise = move || {
        // Numerical Recipes' linear congruential generator; only spread is wanted.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32 / 4096.0
    };
    let mut table = |rows: usize| {
        let labels: Vec<i64> = (0..rows).map(|row| (row % CLASSES as usize) as i64).collect();
        let inputs = labels
            .iter()
            .flat_map(|&label| (0..INPUT_DIM).map(move |place| i64::from(place) == label))
            .map(|own| if own { 1.0 } else { noise() })
            .collect();
        Table { rows, columns: vec![Values::F32(inputs), Values::S64(labels)] }
    };
    Tables {
        name: "four-corners".into(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES)),
        fields: fields(),
        train: table(ROWS[0]),
        validation: table(ROWS[1]),
        test: table(ROWS[2]),
    }
}

fn fields() -> Vec<Field> {
    vec![Field::input("features", DType::F32, &[INPUT_DIM]), Field::target("label", DType::S64, &[])]
}

/// The challenge on [`tables`]: 500,000 parameters, budgets of a few milliseconds. The data bindings are filled in by
/// the arena.
pub fn challenge() -> Challenge {
    Challenge {
        schema_version: 1,
        name: "four-corners".into(),
        title: "Four corners".into(),
        summary: "A challenge for tests.".into(),
        keywords: Vec::new(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES)),
        fields: fields(),
        datasets: DatasetBindings {
            public: PublicDataset { source: PublicSource::Directory, digest: Digest::of(b"") },
            official_commitment: None,
        },
        limits: Limits {
            parameters: ParameterCount(500_000),
            embedded_allowance_bytes: 256 << 10,
            training_flops: Flops(4_000_000),
            prediction_flops_per_sample: Flops(100_000),
            memory_bytes: MEMORY,
            wall_seconds: 20,
            batch_size: 16,
        },
        rows: RowRule::Independent,
        ranking: Ranking {
            metric: "accuracy".into(),
            also_published: Vec::new(),
            options: MetricOptions::default(),
            tie_breaks: vec![TieBreak::Metric, TieBreak::FewerParameters, TieBreak::FewerFlops, TieBreak::Earlier],
        },
        score: ScoreRule::LinearAboveBaseline { baseline: 0.2 },
        release: ReleaseRule::default(),
        quotas: Quotas::default(),
        visibility: Visibility::Public,
        carbon: CarbonFactors::default(),
        targets: vec![Target::LinuxArm64Cpu, Target::LinuxAmd64Cpu],
        seed: 1,
        practice: false,
    }
}

/// A dataset on disk, opened, with an operator's secret beside it.
#[derive(Debug)]
pub struct StoredDataset {
    directory: TempDir,
    /// As the host opened it.
    pub dataset: Arc<Dataset>,
    /// Commits to it and orders its test rows.
    pub secret: OperatorSecret,
}

impl StoredDataset {
    /// Writes `tables` to a temporary directory and opens them.
    ///
    /// # Panics
    /// When the disk refuses.
    pub fn new(tables: &Tables) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let dir = open(&directory);
        thimble_datasets::write(&dir, tables).expect("the dataset is written");
        let secret = OperatorSecret { commitment_salt: [1; 32], permutation_key: [2; 32] };
        secret.write(&dir).expect("the secret is written");
        let dataset = Arc::new(Dataset::open(&dir).expect("the dataset opens"));
        Self { directory, dataset, secret }
    }

    /// Where it is, for the command line.
    pub fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// `challenge` with this data as the data of `mode`, and other data as that of the other mode.
    pub fn bind(&self, mut challenge: Challenge, mode: Mode) -> Challenge {
        let digest = self.dataset.digest();
        let public = if mode == Mode::Validation { digest } else { Digest::of(b"other data") };
        challenge.datasets = DatasetBindings {
            public: PublicDataset { source: PublicSource::Directory, digest: public },
            official_commitment: Some(self.secret.commitment(&digest)),
        };
        challenge
    }

    /// As [`bind`](Self::bind), loaded, and the data with it.
    ///
    /// # Panics
    /// When the challenge does not fit the data.
    pub fn load(&self, challenge: Challenge, mode: Mode) -> (LoadedChallenge, BoundData) {
        let challenge = self.bind(challenge, mode);
        let digest = Digest::of(challenge.to_json().as_bytes());
        let challenge = LoadedChallenge { challenge, digest, statement: String::new() };
        let data = match mode {
            Mode::Validation => BoundData::validation(&challenge, self.dataset.clone()),
            Mode::Official => BoundData::official(&challenge, self.dataset.clone(), &self.secret),
        };
        (challenge, data.expect("the challenge fits the data"))
    }
}

impl StoredDataset {
    /// As [`load`](Self::load) for validation, as data that may be profiled on.
    ///
    /// # Panics
    /// When the challenge does not fit the data.
    pub fn load_public(&self, challenge: Challenge) -> (LoadedChallenge, PublicData) {
        let (challenge, _) = self.load(challenge, Mode::Validation);
        let data = PublicData::new(&challenge, self.dataset.clone()).expect("the challenge fits the data");
        (challenge, data)
    }
}

/// A handle on a temporary directory.
///
/// # Panics
/// When it is gone.
pub fn open(directory: &TempDir) -> Dir {
    Dir::open_ambient_dir(directory.path(), ambient_authority()).expect("the temporary directory opens")
}
