//! Step 2: data, metric, score, statistics.

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::challenge::MetricView;
use thimble_api::draft::MAX_EXPLORATION_BYTES;
use thimble_api::operator::{DatasetView, DraftView};
use thimble_challenge::challenge::{TieBreak, grouped, metric_task};
use thimble_metrics::{Metric, Task};

use super::{StepPage, radios};
use crate::forms::{HOUSE_ROWS, HouseRow, Step, Step2Form, TIE_BREAKS, is_open};
use crate::input::{Inputs, Line};
use crate::layout::{Column::Words, facts, head, scroll};
use crate::operator::fields;
use crate::text::{arrow, direction, foreign, plain};
use crate::viewer::Viewer;

/// Step 2. `datasets` are those registered.
pub fn step2(
    viewer: &Viewer,
    view: &DraftView,
    form: &Step2Form,
    faults: &[ErrorDetail],
    datasets: &[DatasetView],
) -> Markup {
    let chosen = datasets.iter().find(|dataset| dataset.name.as_str() == form.public_dataset);
    let task = chosen.map(|dataset| metric_task(&dataset.metadataset.task));
    let page = StepPage { viewer, view, step: Step::Data, faults, multipart: true, continues: task.is_some() };
    let inputs = page.inputs();
    let body = html! {
        fieldset.bare disabled[!is_open(view.stage)] {
            (data(&inputs, form, datasets))
            @match task {
                Some(task) => {
                    (metric(&inputs, form, task))
                    (options(&inputs, form, task))
                    (score(&inputs, form))
                    (ties(&inputs, form))
                },
                None => p.notice {
                    "Choose the public dataset and save: the metrics of its task are chosen from then."
                    (inputs.after("metric")) (hidden(form))
                },
            }
            (exploration(&inputs, view, form))
        }
    };
    page.around(&body, &html! {})
}

/// What is not shown yet keeps its value; so does the score, whose rule is not sent.
fn hidden(form: &Step2Form) -> Markup {
    html! {
        input type="hidden" name="metric" value=(plain(&form.metric));
        @for name in &form.also_published { input type="hidden" name="also_published" value=(plain(name)); }
        @for (i, tie) in form.tie_breaks.iter().enumerate() {
            input type="hidden" name={ "tie_breaks[" (i) "]" } value=(plain(tie));
        }
    }
}

fn data(inputs: &Inputs<'_>, form: &Step2Form, datasets: &[DatasetView]) -> Markup {
    let list = |official: bool| {
        let of_kind = datasets.iter().filter(move |dataset| dataset.official == official);
        let named = of_kind.map(|dataset| {
            (dataset.name.to_string(), format!("{} — {}", dataset.name, plain(&dataset.metadataset.task.to_string())))
        });
        std::iter::once((String::new(), "Choose a dataset".to_owned())).chain(named).collect::<Vec<_>>()
    };
    let shown = |name: &str| datasets.iter().find(|dataset| dataset.name.as_str() == name);
    html! {
        fieldset {
            legend { "Metadatasets" }
            p.quiet {
                "What is known of a registered dataset: task, fields and number of rows. Rows stay where they are."
            }
            div.pair {
                div {
                    (inputs.select("public_dataset", "Public dataset", "For validation runs. It brings the task and the fields", &form.public_dataset, &list(false)))
                    @if let Some(dataset) = shown(&form.public_dataset) { (card(dataset)) }
                }
                div {
                    (inputs.select("official_dataset", "Official dataset", "For official runs: same task, same fields", &form.official_dataset, &list(true)))
                    @if let Some(dataset) = shown(&form.official_dataset) { (card(dataset)) }
                }
            }
            (inputs.tick("practice", form.practice, &html! { strong { "Practice" } " — the official data may be data that anyone can own; results are labelled so" }))
        }
    }
}

fn card(dataset: &DatasetView) -> Markup {
    let splits = &dataset.metadataset.splits;
    html! {
        div.card {
            (facts(&[
                ("Task", html! { (foreign(&dataset.metadataset.task.to_string())) }),
                ("Train", html! { (grouped(splits.train.rows)) " rows" }),
                ("Validation", html! { (grouped(splits.validation.rows)) " rows" }),
                ("Test", html! { (grouped(splits.test.rows)) " rows" }),
                ("Fields", fields(dataset)),
            ]))
        }
    }
}

fn metric(inputs: &Inputs<'_>, form: &Step2Form, task: Task) -> Markup {
    let all: Vec<&Metric> = thimble_metrics::metrics(task).collect();
    let name = |metric: &&Metric| {
        let shown = MetricView::from(*metric);
        let (sign, meaning) = direction(shown.better);
        (metric.name.to_owned(), format!("{} {sign} ({meaning})", metric.label))
    };
    let list: Vec<_> =
        std::iter::once((String::new(), "Choose a metric".to_owned())).chain(all.iter().map(name)).collect();
    html! {
        fieldset {
            legend { "Metric" }
            (inputs.select("metric", "What ranks", &format!("Metrics of {}", task.label().to_lowercase()), &form.metric, &list))
            details open[!form.also_published.is_empty()] {
                summary { "Also published" }
                p.quiet { "Each further figure tells a little more of the private data." }
                div.choices { @for metric in &all {
                    label.choice {
                        input type="checkbox" name="also_published" value=(metric.name) checked[form.also_published.iter().any(|name| name == metric.name)]; span {
                            (metric.label) " " (arrow(MetricView::from(*metric).better))
                        }
                    }
                } }
                (inputs.after("also_published"))
            }
            details {
                summary { "What each metric tells" }
                (scroll("What each metric tells", &html! { table {
                    caption { "Metrics of the task" }
                    (head(&[Words("Metric"), Words("What it tells"), Words("Range"), Words("Undefined when")]))
                    tbody {
                        @for metric in &all {
                            tr {
                                th scope="row" { (metric.label) " " (arrow(MetricView::from(*metric).better)) }
                                td.words { (metric.description) } td { (metric.range) }
                                td.words { (metric.undefined_when) }
                            }
                        }
                    }
                } }))
            }
        }
    }
}

/// What the owner chooses where a definition leaves a choice: only for tasks where one does.
fn options(inputs: &Inputs<'_>, form: &Step2Form, task: Task) -> Markup {
    let lines: Vec<(&str, &str, &str, &str)> = match task {
        Task::TabularRegression | Task::TimeSeriesForecasting => vec![
            (
                "metric_options.relative_tolerance",
                "Relative tolerance of accuracy",
                form.relative_tolerance.as_str(),
                "0 to 1",
            ),
            (
                "metric_options.absolute_tolerance",
                "Absolute tolerance of accuracy",
                form.absolute_tolerance.as_str(),
                "In the unit of the target",
            ),
        ],
        Task::ObjectDetection | Task::InstanceSegmentation => {
            vec![(
                "metric_options.score_threshold",
                "Lowest score of an object that counts",
                form.score_threshold.as_str(),
                "0 to 1",
            )]
        }
        Task::TimeToEvent => vec![(
            "metric_options.event_horizon",
            "Horizon of F1",
            form.event_horizon.as_str(),
            "An event until then is a positive; empty for the median time of the training events",
        )],
        _ => Vec::new(),
    };
    html! { @if !lines.is_empty() { fieldset { legend { "Choices in the definition" } (inputs.lines(&lines)) } } }
}

fn score(inputs: &Inputs<'_>, form: &Step2Form) -> Markup {
    let rules = [
        ("metric", html! { strong { "The metric itself" } }),
        (
            "linear_above_baseline",
            html! { strong { "Linear above a baseline" } " — (metric − baseline) / (1 − baseline) × 100, between 0 and 100" },
        ),
        (
            "composite",
            html! { strong { "Composite" } " — quality, and how little a prediction costs against the field" },
        ),
    ];
    html! {
        div.rules {
            (radios(inputs, "score.rule", "Score", &form.rule, &rules))
            fieldset.of-linear {
                legend { "Linear above a baseline" }
                (inputs.lines(&[("score.baseline", "Baseline", &form.baseline, "The metric's value at which the score is 0: at least 0, below 1")]))
            }
            (composite(inputs, form))
        }
    }
}

fn composite(inputs: &Inputs<'_>, form: &Step2Form) -> Markup {
    let [quality, flops, carbon] = &form.weights;
    html! {
        fieldset.of-composite {
            legend { "Composite" }
            (inputs.lines(&[
                ("score.weights.quality", "Weight of quality", quality, "0 to 1; together 1"),
                ("score.weights.flops", "Weight of FLOPs", flops, "0 to 1"),
                ("score.weights.carbon", "Weight of gCO2e", carbon, "0 to 1"),
                ("score.floor", "Floor", &form.floor, "Worse results score 0 and are not ranked"),
                ("score.best", "Best possible", &form.best, "Of the ranking metric"),
                ("score.reference_flops", "FLOPs of a usual model", &form.reference_flops, "A row; pads a field of fewer than five teams"),
            ]))
            (inputs.together("score.weights"))
            (inputs.select("score.quality", "Quality", "How the metric becomes a number from 0 to 1", &form.quality, &[
                ("metric".to_owned(), "the metric as it is".to_owned()),
                ("skill".to_owned(), "(metric − floor) / (best − floor)".to_owned()),
            ]))
            h3 { "House baselines" }
            p.quiet {
                "Up to " (HOUSE_ROWS)
                " models of yours, measured on the public data: members of the field for good. Empty lines count for "
                "nothing."
            }
            @for (i, row) in form.house.iter().enumerate() { (house(inputs, i, row)) }
            (inputs.together("score.house"))
        }
    }
}

fn house(inputs: &Inputs<'_>, i: usize, row: &HouseRow) -> Markup {
    let name = |part: &str| format!("score.house[{i}].{part}");
    let line = |part: &str, label: &str, value: &str| inputs.line(&Line::new(&name(part), label, value, ""));
    html! {
        div.fields role="group" aria-label={ "House baseline " (i + 1) } {
            (line("name", &format!("Name {}", i + 1), &row.name))
            (line("metric", "Metric", &row.metric))
            (line("flops_per_sample", "FLOPs a row", &row.flops_per_sample))
        }
    }
}

fn ties(inputs: &Inputs<'_>, form: &Step2Form) -> Markup {
    let options: Vec<_> = std::iter::once((String::new(), "–".to_owned()))
        .chain(TIE_BREAKS.map(|tie| (tie.name().to_owned(), tie_words(tie).to_owned())))
        .collect();
    html! {
        fieldset {
            legend { "Between equal scores" }
            div.fields { @for (i, chosen) in form.tie_breaks.iter().enumerate() {
                (inputs.select(&format!("tie_breaks[{i}]"), &format!("{}.", i + 1), "", chosen, &options))
            } }
        }
    }
}

const fn tie_words(tie: TieBreak) -> &'static str {
    match tie {
        TieBreak::Metric => "the better metric",
        TieBreak::FewerParameters => "fewer parameters",
        TieBreak::FewerFlops => "fewer FLOPs",
        TieBreak::Earlier => "submitted earlier",
    }
}

fn exploration(inputs: &Inputs<'_>, view: &DraftView, form: &Step2Form) -> Markup {
    html! {
        fieldset {
            legend { "Statistics (optional)" }
            p.field {
                label for="f-exploration" { "Notebook or statistics" }
                span.hint id="f-exploration-hint" {
                    "An " code { ".ipynb" } ", which is shown and not run, or what "
                    code { "thimble dataset explore --json" } " writes; at most " (MAX_EXPLORATION_BYTES >> 20) " MB"
                }
                input id="f-exploration" type="file" name="exploration" accept=".ipynb,.json,application/json" aria-describedby="f-exploration-hint";
                (inputs.after("exploration"))
            }
            @if view.has_exploration {
                (inputs.tick("remove_exploration", form.remove_exploration, &html! { "Take the page of statistics away" }))
            }
        }
    }
}
