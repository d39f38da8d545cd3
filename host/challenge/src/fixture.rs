//! A challenge for unit tests.

use thimble_datasets::{Classes, DType, Digest, Field, TaskKind};

use crate::challenge::{
    CarbonFactors, Challenge, DatasetBindings, Limits, MetricOptions, PublicDataset, PublicSource, Quotas, Ranking,
    ReleaseRule, RowRule, ScoreRule, Target, TieBreak, Visibility,
};
use crate::units::{Flops, ParameterCount};

pub(crate) fn challenge() -> Challenge {
    Challenge {
        schema_version: 1,
        name: "test-challenge".to_owned(),
        title: "A test".to_owned(),
        summary: "For unit tests.".to_owned(),
        keywords: vec!["test".to_owned()],
        task: TaskKind::TabularClassification(Classes::unnamed(128)),
        fields: vec![Field::input("features", DType::F32, &[384]), Field::target("label", DType::S64, &[])],
        datasets: DatasetBindings {
            public: PublicDataset { source: PublicSource::Directory, digest: Digest::of(b"") },
            official_commitment: None,
        },
        limits: Limits {
            parameters: ParameterCount(500_000),
            embedded_allowance_bytes: 262_144,
            training_flops: Flops(4_000_000_000_000),
            prediction_flops_per_sample: Flops(200_000_000),
            memory_bytes: 1 << 30,
            wall_seconds: 3_600,
            batch_size: 128,
        },
        rows: RowRule::Independent,
        ranking: Ranking {
            metric: "accuracy".to_owned(),
            also_published: Vec::new(),
            options: MetricOptions::default(),
            tie_breaks: vec![TieBreak::Metric, TieBreak::FewerParameters, TieBreak::FewerFlops, TieBreak::Earlier],
        },
        score: ScoreRule::LinearAboveBaseline { baseline: 0.72 },
        // The golden figures of the tests are to four.
        release: ReleaseRule { metric_decimals: 4, ..ReleaseRule::default() },
        quotas: Quotas::default(),
        visibility: Visibility::Public,
        carbon: CarbonFactors::default(),
        targets: vec![Target::LinuxArm64Cpu, Target::LinuxAmd64Cpu],
        seed: 1,
        practice: false,
    }
}
