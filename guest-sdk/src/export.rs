//! From the builder's types to the contract's: what [`export!`](crate::export) ties together.

use std::marker::PhantomData;

use crate::bindings::exports::thimble::solution::{learner, predictor};
use crate::bindings::thimble::solution::{data, task, tensors};
use crate::{Batch, Column, Dtype, Field, Kind, Loader, Metadata, Model, Parameters, Solution, Tensor, Values};

/// Makes the crate a submission: exports the given [`Solution`](crate::Solution) as a component of the world `solution`.
///
/// Once per crate, for a type without generic parameters. Does nothing natively, where the names of a component's exports
/// would not link.
#[macro_export]
macro_rules! export {
    ($solution:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::Component<$solution>;
    $crate::bindings::export_world!(Component with_types_in $crate::bindings);
        };
    };
}

/// The component made of a [`Solution`].
#[derive(Debug)]
pub struct Component<S>(PhantomData<S>);

/// The model resource of a component.
#[derive(Debug)]
pub struct Hosted<M>(M);

impl<S: Solution> learner::Guest for Component<S> {
    fn solve(train: data::Loader, val: data::Loader, metadata: task::Metadata) -> Result<Vec<tensors::Tensor>, String> {
        let (mut train, mut val) = (Loader::from_host(train), Loader::from_host(val));
        let model = S::solve(&mut train, &mut val, &metadata.into()).map_err(|error| error.to_string())?;
        model.parameters().into_vec().into_iter().map(lower).collect()
    }
}

impl<S: Solution> predictor::Guest for Component<S> {
    type Model = Hosted<S::Model>;
}

impl<M: Model> predictor::GuestModel for Hosted<M> {
    fn load(parameters: Vec<tensors::Tensor>, metadata: task::Metadata) -> Result<predictor::Model, String> {
        let parameters = Parameters::from(lift_all(parameters));
        let model = M::from_parameters(parameters, &metadata.into()).map_err(|error| error.to_string())?;
        Ok(predictor::Model::new(Self(model)))
    }

    fn predict(&self, inputs: Vec<tensors::Tensor>) -> Result<Vec<tensors::Tensor>, String> {
        let inputs = lift_all(inputs);
        let rows = inputs.first().and_then(|input| input.shape.first()).copied().unwrap_or(0);
        let batch = Batch::from_host(rows, inputs, Vec::new());
        let predictions = self.0.predict(&batch).map_err(|error| error.to_string())?;
        predictions.into_tensors().into_iter().map(lower).collect()
    }
}

impl From<data::Batch> for Batch {
    fn from(batch: data::Batch) -> Self {
        Self::from_host(batch.size as usize, lift_all(batch.inputs), lift_all(batch.targets))
    }
}

fn lift_all(tensors: Vec<tensors::Tensor>) -> Vec<Tensor> {
    tensors.into_iter().map(Tensor::from).collect()
}

impl From<tensors::Tensor> for Tensor {
    fn from(tensor: tensors::Tensor) -> Self {
        let values = match tensor.values {
            tensors::Values::F32(v) => Values::F32(v),
            tensors::Values::F64(v) => Values::F64(v),
            tensors::Values::S64(v) => Values::S64(v),
            tensors::Values::S32(v) => Values::S32(v),
            tensors::Values::S8(v) => Values::S8(v),
            tensors::Values::U8(v) => Values::U8(v),
            tensors::Values::Text(v) => Values::Text(v),
        };
        Self { name: tensor.name, shape: widen(tensor.shape), values }
    }
}

fn lower(tensor: Tensor) -> Result<tensors::Tensor, String> {
    let Tensor { name, shape, values } = tensor;
    let Ok(dimensions) = shape.iter().map(|&n| u32::try_from(n)).collect() else {
        return Err(format!("tensor `{name}` of shape {shape:?} has a dimension above {}", u32::MAX));
    };
    let values = match values {
        Values::F32(v) => tensors::Values::F32(v),
        Values::F64(v) => tensors::Values::F64(v),
        Values::S64(v) => tensors::Values::S64(v),
        Values::S32(v) => tensors::Values::S32(v),
        Values::S8(v) => tensors::Values::S8(v),
        Values::U8(v) => tensors::Values::U8(v),
        Values::Text(v) => tensors::Values::Text(v),
    };
    Ok(tensors::Tensor { name, shape: dimensions, values })
}

fn widen(shape: Vec<u32>) -> Vec<usize> {
    shape.into_iter().map(|n| n as usize).collect()
}

impl From<task::Metadata> for Metadata {
    fn from(metadata: task::Metadata) -> Self {
        let fields = |fields: Vec<task::Field>| fields.into_iter().map(Field::from).collect();
        Self {
            kind: kind(metadata.kind),
            inputs: fields(metadata.inputs),
            targets: fields(metadata.targets),
            outputs: fields(metadata.outputs),
            num_classes: metadata.num_classes as usize,
            class_names: metadata.class_names,
            metric: metadata.metric,
            input_dim: metadata.input_dim as usize,
            param_limit: metadata.param_limit,
            baseline_accuracy: metadata.baseline_accuracy,
            train_samples: metadata.train_samples,
            val_samples: metadata.val_samples,
            test_samples: metadata.test_samples,
            device: metadata.device,
            seed: metadata.seed,
        }
    }
}

fn kind(kind: task::Kind) -> Kind {
    match kind {
        task::Kind::ImageClassification => Kind::ImageClassification,
        task::Kind::TextClassification => Kind::TextClassification,
        task::Kind::TabularClassification => Kind::TabularClassification,
        task::Kind::ObjectDetection => Kind::ObjectDetection,
        task::Kind::SemanticSegmentation => Kind::SemanticSegmentation,
        task::Kind::InstanceSegmentation => Kind::InstanceSegmentation,
        task::Kind::KeypointDetection => Kind::KeypointDetection,
        task::Kind::TabularRegression => Kind::TabularRegression,
        task::Kind::TimeSeriesForecasting => Kind::TimeSeriesForecasting,
        task::Kind::TimeToEvent => Kind::TimeToEvent,
    }
}

impl From<task::Field> for Field {
    fn from(field: task::Field) -> Self {
        let dtype = match field.dtype {
            task::Dtype::F32 => Dtype::F32,
            task::Dtype::F64 => Dtype::F64,
            task::Dtype::S64 => Dtype::S64,
            task::Dtype::S32 => Dtype::S32,
            task::Dtype::S8 => Dtype::S8,
            task::Dtype::U8 => Dtype::U8,
            task::Dtype::Text => Dtype::Text,
        };
        let column = |column: task::Column| Column { name: column.name, categories: column.categories };
        Self {
            name: field.name,
            dtype,
            shape: widen(field.shape),
            ragged: field.ragged,
            missing: field.missing,
            columns: field.columns.into_iter().map(column).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_crosses_the_boundary_unchanged() -> Result<(), String> {
        let values = [
            Values::F32(vec![1.5]),
            Values::F64(vec![1.5]),
            Values::S64(vec![-1]),
            Values::S32(vec![-1]),
            Values::S8(vec![-1]),
            Values::U8(vec![1]),
            Values::Text(vec!["a".to_owned()]),
        ];
        for values in values {
            let tensor = Tensor::new("x", &[1], values);
            assert_eq!(Tensor::from(lower(tensor.clone())?), tensor);
        }
        Ok(())
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_dimension_that_the_contract_cannot_hold_is_an_error() {
        let tensor = |n| Tensor::new("x", &[n], Vec::<u8>::new());
        assert!(lower(tensor(u32::MAX as usize)).is_ok());
        assert!(lower(tensor(u32::MAX as usize + 1)).is_err());
    }
}
