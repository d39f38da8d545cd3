//! The fields of each task, and nothing else, are accepted.

use thimble_datasets::{
    Classes, DType, DatasetWriter, Field, Pixels, Points, Role, Skeleton, TableColumn, Tables, TaskKind, limits,
};

use crate::fixture::empty;
use crate::samples::{sample, samples};

fn check(task: &TaskKind, fields: &[Field]) -> Result<(), String> {
    let directory = empty();
    match DatasetWriter::new(&directory.dir, "name", task.clone(), fields.to_vec()) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks the fields of a task after a change.
fn changed(tables: &Tables, change: impl FnOnce(&mut Vec<Field>)) -> Result<(), String> {
    let mut fields = tables.fields.clone();
    change(&mut fields);
    check(&tables.task, &fields)
}

#[track_caller]
fn refused(result: Result<(), String>, expected: &str) {
    assert_eq!(result.expect_err("must be refused"), expected);
}

/// Whether a task leaves the name, type and shape of its inputs open.
const fn is_table(task: &TaskKind) -> bool {
    matches!(task, TaskKind::TabularClassification(_) | TaskKind::TabularRegression | TaskKind::TimeToEvent)
}

fn is_free(tables: &Tables, field: &Field) -> bool {
    field.role == Role::Input && is_table(&tables.task)
}

#[test]
fn the_fields_of_every_task_ok() {
    for tables in samples() {
        assert_eq!(check(&tables.task, &tables.fields), Ok(()), "{}", tables.name);
    }
}

#[test]
fn another_name_err() {
    for tables in samples() {
        for (index, field) in tables.fields.iter().enumerate() {
            let result = changed(&tables, |fields| fields[index].name = "other".into());
            assert_eq!(result.is_ok(), is_free(&tables, field), "{} {}", tables.name, field.name);
        }
    }
}

#[test]
fn another_type_err() {
    for tables in samples() {
        for (index, field) in tables.fields.iter().enumerate() {
            let result = changed(&tables, |fields| fields[index].dtype = DType::S8);
            // The table inputs of the samples may miss values, which integers cannot.
            assert!(result.is_err(), "{} {}", tables.name, field.name);
            let free = changed(&tables, |fields| {
                fields[index] = Field { missing: false, dtype: DType::S8, ..fields[index].clone() };
            });
            assert_eq!(free.is_ok(), is_free(&tables, field), "{} {}", tables.name, field.name);
        }
    }
}

#[test]
fn another_shape_err() {
    for tables in samples() {
        for (index, field) in tables.fields.iter().enumerate() {
            let longer = changed(&tables, |fields| {
                fields[index].columns.clear();
                fields[index].shape.push(1);
            });
            assert_eq!(longer.is_ok(), is_free(&tables, field), "{} {}", tables.name, field.name);
        }
    }
}

#[test]
fn sizes_that_belong_together_differ_err() {
    for (task, field) in [
        ("semantic_segmentation", "mask"),
        ("instance_segmentation", "masks"),
        ("keypoint_detection", "keypoints"),
        ("keypoint_detection", "visibility"),
        ("keypoint_detection", "box"),
        ("object_detection", "boxes"),
    ] {
        let result = changed(&sample(task), |fields| {
            let field = fields.iter_mut().find(|candidate| candidate.name == field).expect("the field is there");
            field.shape[0] += 1;
        });
        assert!(result.is_err(), "{task} {field}");
    }
    // Sizes that stand alone are free.
    for (task, field) in [("time_series_forecasting", "horizon"), ("image_classification", "image")] {
        let result = changed(&sample(task), |fields| {
            let field = fields.iter_mut().find(|candidate| candidate.name == field).expect("the field is there");
            field.shape[0] += 1;
        });
        assert_eq!(result, Ok(()), "{task} {field}");
    }
}

#[test]
fn ragged_where_it_is_not_and_not_where_it_is_err() {
    for tables in samples() {
        for (index, field) in tables.fields.iter().enumerate() {
            let result = changed(&tables, |fields| {
                fields[index].missing = false;
                fields[index].ragged = !fields[index].ragged;
            });
            assert!(result.is_err(), "{} {}", tables.name, field.name);
        }
    }
}

#[test]
fn targets_in_another_order_missing_or_beyond_err() {
    for tables in samples() {
        let targets: Vec<_> = (0..tables.fields.len()).filter(|&i| tables.fields[i].role == Role::Target).collect();
        for pair in targets.windows(2) {
            let result = changed(&tables, |fields| fields.swap(pair[0], pair[1]));
            assert!(result.is_err(), "{} {pair:?}", tables.name);
        }
        for &index in &targets {
            let field = &tables.fields[index];
            let optional = matches!(field.name.as_str(), "box" | "area");
            let result = changed(&tables, |fields| drop(fields.remove(index)));
            assert_eq!(result.is_ok(), optional, "{} {}", tables.name, field.name);
        }
        let result = changed(&tables, |fields| fields.push(Field::target("more", DType::F32, &[])));
        assert!(result.is_err(), "{}", tables.name);
    }
}

#[test]
fn a_second_input_err_but_of_a_table() {
    for tables in samples() {
        let result = changed(&tables, |fields| fields.insert(0, Field::input("more", DType::F32, &[2])));
        assert_eq!(result.is_ok(), is_table(&tables.task), "{}", tables.name);
        let result = changed(&tables, |fields| fields.retain(|field| field.role == Role::Target));
        refused(result, "at `fields`: there is no input");
    }
}

#[test]
fn a_condition_is_a_number_beside_any_task() {
    let rule = "at `fields`: `condition` is an input, one number of type u8 or s64";
    for tables in samples() {
        let with = |condition: Field| {
            changed(&tables, |fields| {
                fields.retain(|field| field.name != "condition");
                fields.push(condition);
            })
        };
        assert_eq!(with(Field::input("condition", DType::U8, &[])), Ok(()));
        assert_eq!(with(Field::input("condition", DType::S64, &[])), Ok(()));
        refused(with(Field::input("condition", DType::F32, &[])), rule);
        refused(with(Field::input("condition", DType::U8, &[1])), rule);
        refused(with(Field::input("condition", DType::U8, &[]).ragged()), rule);
        refused(with(Field::target("condition", DType::U8, &[])), rule);
    }
}

#[test]
fn texts_name_what_is_expected_and_what_is_there() {
    let renamed = |task: &str, from: &str| {
        changed(&sample(task), |fields| {
            fields.iter_mut().filter(|field| field.name == from).for_each(|field| field.name = "other".into());
        })
    };
    let expected = |task: &str, what: &str, found: &str| {
        format!("at `fields`: {task}: there must be a field {what}; found `other`, {found}")
    };
    refused(
        renamed("object_detection", "boxes"),
        &expected("object detection", "`boxes`, f32, of shape [4], ragged", "f32, of shape [4], ragged"),
    );
    refused(
        renamed("time_series_forecasting", "window"),
        &expected("time series forecasting", "`window`, f32, with 2 dimensions", "f32, of shape [4, 2]"),
    );
    refused(
        renamed("tabular_classification", "label"),
        &expected("tabular classification", "`label`, s64, of shape []", "s64, of shape []"),
    );
    refused(
        changed(&sample("time_to_event"), |fields| fields.truncate(3)),
        "at `fields`: time to event: the targets are `time`, `event`, in this order",
    );
    refused(
        changed(&sample("text_classification"), |fields| fields.push(Field::input("more", DType::Text, &[]))),
        "at `fields`: text classification: there is exactly one input, `text`",
    );
    refused(
        changed(&sample("image_classification"), |fields| fields[0].shape[2] = 2),
        "at `fields`: image classification: `image` has 1, 3 or 4 channels, its last dimension",
    );
    refused(
        changed(&sample("tabular_regression"), |fields| fields[0] = Field::input("x", DType::F32, &[2]).ragged()),
        "at `fields`: tabular regression: the input `x` must not be ragged",
    );
}

#[test]
fn images_have_one_three_or_four_channels() {
    for channels in 1..6 {
        let result = changed(&sample("image_classification"), |fields| fields[0].shape[2] = channels);
        assert_eq!(result.is_ok(), matches!(channels, 1 | 3 | 4), "{channels}");
    }
}

#[test]
fn columns_and_categories_have_names_of_their_own() {
    let tables = sample("tabular_regression");
    let columns = |change: fn(&mut Vec<TableColumn>)| changed(&tables, |fields| change(&mut fields[0].columns));
    assert_eq!(columns(|columns| columns.clear()), Ok(()));
    refused(columns(|columns| drop(columns.pop())), "at `fields[0].columns`: 1 names for 2");
    refused(columns(|columns| columns[1].name = "age".into()), "at `fields[0].columns[1]`: is used twice");
    let form = "at `fields[0].columns[0]`: must be 1 to 128 bytes without control characters";
    refused(columns(|columns| columns[0].name = String::new()), form);
    refused(columns(|columns| columns[0].name = "a\tb".into()), form);
    refused(columns(|columns| columns[0].name = "n".repeat(129)), form);
    assert_eq!(columns(|columns| columns[0].name = "n".repeat(limits::LABEL_NAME_BYTES)), Ok(()));
    refused(
        columns(|columns| columns[1].categories[2] = "red".into()),
        "at `fields[0].columns[1].categories[2]`: is used twice",
    );
    let many = |count| {
        move |columns: &mut Vec<TableColumn>| columns[1].categories = (0..count).map(|i| i.to_string()).collect()
    };
    let categories = |count| changed(&tables, |fields| many(count)(&mut fields[0].columns));
    assert_eq!(categories(limits::CATEGORIES), Ok(()));
    refused(
        categories(limits::CATEGORIES + 1),
        "at `fields[0].columns[1].categories`: 65537 categories, at most 65536 are allowed",
    );
}

#[test]
fn only_float_inputs_miss_values() {
    let tables = sample("image_classification");
    let rule = |index| format!("at `fields[{index}].missing`: only f32 and f64 inputs can miss values");
    refused(changed(&tables, |fields| fields[0].missing = true), &rule(0));
    refused(changed(&sample("tabular_regression"), |fields| fields[2].missing = true), &rule(2));
}

#[test]
fn classes_ok() {
    let tables = sample("text_classification");
    let with = |classes: Classes| check(&TaskKind::TextClassification(classes), &tables.fields);
    assert_eq!(with(Classes { positive: Some(0), ..Classes::unnamed(2) }), Ok(()));
    assert_eq!(with(Classes { ordinal: true, ..Classes::unnamed(5) }), Ok(()));
    assert_eq!(with(Classes::named(["n".repeat(128), "é".into()])), Ok(()));
    assert_eq!(check(&TaskKind::ObjectDetection(Classes::unnamed(1)), &sample("object_detection").fields), Ok(()));
}

#[test]
fn classes_err() {
    let tables = sample("text_classification");
    let with = |classes: Classes| check(&TaskKind::TextClassification(classes), &tables.fields);
    let positive = |positive, classes| with(Classes { positive: Some(positive), ..Classes::unnamed(classes) });
    refused(positive(1, 3), "at `task.positive`: only two classes have a positive one, there are 3");
    refused(positive(2, 2), "at `task.positive`: 2 is not 0 or 1");
    refused(with(Classes { classes: 3, ..Classes::named(["a", "b"]) }), "at `task.class_names`: 2 names for 3");
    refused(with(Classes::named(["a", "a"])), "at `task.class_names[1]`: is used twice");

    let objects = |classes| check(&TaskKind::ObjectDetection(classes), &sample("object_detection").fields);
    refused(objects(Classes::unnamed(0)), "at `task.classes`: 0 is not between 1 and 65536");
    let positive = "at `task.positive`: only a classification of whole rows has a positive class";
    refused(objects(Classes { positive: Some(1), ..Classes::unnamed(2) }), positive);
    let ordinal = "at `task.ordinal`: only a classification of whole rows has grades";
    refused(objects(Classes { ordinal: true, ..Classes::unnamed(2) }), ordinal);
}

#[test]
fn pixel_classes_ok_and_err() {
    let fields = sample("semantic_segmentation").fields;
    let with = |classes, ignore| {
        check(&TaskKind::SemanticSegmentation(Pixels { classes, class_names: Vec::new(), ignore }), &fields)
    };
    assert_eq!((with(2, None), with(255, Some(255)), with(2, Some(2))), (Ok(()), Ok(()), Ok(())));
    refused(with(1, None), "at `task.classes`: 1 is not between 2 and 255");
    refused(with(256, None), "at `task.classes`: 256 is not between 2 and 255");
    refused(with(3, Some(2)), "at `task.ignore`: 2 is a class; it must be 3 to 255");
}

#[test]
fn points_ok_and_err() {
    let with = |points: u32, skeleton| {
        let point_names = (0..points).map(|point| format!("p{point}")).collect();
        let mut fields = sample("keypoint_detection").fields;
        fields[1].shape[0] = points;
        fields[2].shape[0] = points;
        check(&TaskKind::KeypointDetection(Points { point_names, skeleton }), &fields)
    };
    assert_eq!((with(1, Skeleton::Uniform), with(1024, Skeleton::Uniform)), (Ok(()), Ok(())));
    assert_eq!(with(17, Skeleton::Coco), Ok(()));
    refused(with(16, Skeleton::Coco), "at `task.skeleton`: `coco` has 17 points, not 16");
    refused(with(1025, Skeleton::Uniform), "at `task.point_names`: 1025 points, there must be 1 to 1024");
    let none = Points { point_names: Vec::new(), skeleton: Skeleton::Uniform };
    let result = check(&TaskKind::KeypointDetection(none), &sample("keypoint_detection").fields);
    refused(result, "at `task.point_names`: 0 points, there must be 1 to 1024");
}
