// Between the contract's types, as the bindings spell them, and the model's.
#include <stdlib.h>
#include <string.h>

#include "discriminant.h"
#include "solution.h"

typedef thimble_solution_tensors_tensor_t Tensor;

struct exports_thimble_solution_predictor_model_t {
  Model model;
};

// The parameters, in order.
enum { PROJECTION, FACTOR, SHIFT, OFFSET, TENSORS };
static const char *const NAMES[TENSORS] = {"projection", "factor", "shift", "offset"};

static bool fail(solution_string_t *err, const char *text) {
  solution_string_dup(err, text);
  return false;
}

// A tensor of `rows` × `columns` f32; takes `values`.
static bool set_tensor(Tensor *tensor, const char *name, size_t rows, size_t columns, float *values) {
  uint32_t *shape = malloc(2 * sizeof(uint32_t));
  if (!shape) return false;
  shape[0] = (uint32_t)rows, shape[1] = (uint32_t)columns;
  solution_string_dup(&tensor->name, name);
  tensor->shape = (solution_list_u32_t){shape, 2};
  tensor->values.tag = THIMBLE_SOLUTION_TENSORS_VALUES_F32;
  tensor->values.val.f32 = (solution_list_f32_t){values, rows * columns};
  return true;
}

// Reads all rows that a loader hands over. The host answers for the shapes that the metadata names.
static const char *read_split(Split *split, thimble_solution_data_borrow_loader_t loader, size_t inputs,
                              size_t classes) {
  size_t rows = (size_t)thimble_solution_data_method_loader_samples(loader);
  *split = (Split){0, malloc(rows * inputs * sizeof(float)), malloc(rows * sizeof(int64_t))};
  if (!split->x || !split->labels) return "out of memory";
  thimble_solution_data_batch_t batch;
  while (thimble_solution_data_method_loader_next(loader, &batch)) {
    const Tensor *x = batch.inputs.ptr, *labels = batch.targets.ptr;
    if (batch.inputs.len < 1 || x->values.tag != THIMBLE_SOLUTION_TENSORS_VALUES_F32) return "features are not f32";
    if (batch.targets.len < 1 || labels->values.tag != THIMBLE_SOLUTION_TENSORS_VALUES_S64) return "labels are not s64";
    if (batch.size > rows - split->rows || x->values.val.f32.len != batch.size * inputs ||
        labels->values.val.s64.len != batch.size)
      return "a batch has another shape than the metadata says";
    for (size_t r = 0; r < batch.size; r++)
      if ((uint64_t)labels->values.val.s64.ptr[r] >= classes) return "a label is not below the number of classes";
    memcpy(split->x + split->rows * inputs, x->values.val.f32.ptr, batch.size * inputs * sizeof(float));
    memcpy(split->labels + split->rows, labels->values.val.s64.ptr, batch.size * sizeof(int64_t));
    split->rows += batch.size;
    thimble_solution_data_batch_free(&batch);
  }
  return NULL;
}

bool exports_thimble_solution_learner_solve(exports_thimble_solution_learner_own_loader_t train,
                                            exports_thimble_solution_learner_own_loader_t val,
                                            exports_thimble_solution_learner_metadata_t *metadata,
                                            exports_thimble_solution_learner_list_tensor_t *ret,
                                            solution_string_t *err) {
  size_t inputs = metadata->input_dim, classes = metadata->num_classes;
  if (classes < 2) return fail(err, "fewer than 2 classes");
  size_t directions = directions_within(metadata->param_limit, inputs, classes);
  if (directions == 0) return fail(err, "the parameter limit does not allow one direction");
  Split rows, validation;
  const char *error = read_split(&rows, thimble_solution_data_borrow_loader(train), inputs, classes);
  if (!error) error = read_split(&validation, thimble_solution_data_borrow_loader(val), inputs, classes);
  if (error) return fail(err, error);

  Model model;
  if (!model_allocate(&model, inputs, classes, directions)) return fail(err, "out of memory");
  error = fit(&model, &rows, &validation);
  if (error) return fail(err, error);

  Tensor *tensors = malloc(TENSORS * sizeof(Tensor));
  if (!tensors || !set_tensor(&tensors[PROJECTION], NAMES[PROJECTION], directions, inputs, model.projection) ||
      !set_tensor(&tensors[FACTOR], NAMES[FACTOR], classes, factor_size(directions), model.factor) ||
      !set_tensor(&tensors[SHIFT], NAMES[SHIFT], classes, directions, model.shift) ||
      !set_tensor(&tensors[OFFSET], NAMES[OFFSET], classes, 1, model.offset))
    return fail(err, "out of memory");
  *ret = (exports_thimble_solution_learner_list_tensor_t){tensors, TENSORS};
  return true;
}

// The values of a parameter of the given shape, taken out of it; NULL when it is another.
static float *take(Tensor *tensor, const char *name, size_t rows, size_t columns) {
  bool is_it = tensor->name.len == strlen(name) && memcmp(tensor->name.ptr, name, tensor->name.len) == 0 &&
               tensor->values.tag == THIMBLE_SOLUTION_TENSORS_VALUES_F32 && tensor->shape.len == 2 &&
               tensor->shape.ptr[0] == rows && tensor->shape.ptr[1] == columns &&
               tensor->values.val.f32.len == rows * columns;
  return is_it ? tensor->values.val.f32.ptr : NULL;
}

bool exports_thimble_solution_predictor_static_model_load(exports_thimble_solution_predictor_list_tensor_t *parameters,
                                                          exports_thimble_solution_predictor_metadata_t *metadata,
                                                          exports_thimble_solution_predictor_own_model_t *ret,
                                                          solution_string_t *err) {
  Tensor *tensors = parameters->ptr;
  if (parameters->len != TENSORS || tensors[PROJECTION].shape.len != 2) return fail(err, "these are not my parameters");
  size_t inputs = metadata->input_dim, classes = metadata->num_classes;
  size_t directions = tensors[PROJECTION].shape.ptr[0];
  Model model = {
      .inputs = inputs,
      .classes = classes,
      .directions = directions,
      .projection = take(&tensors[PROJECTION], NAMES[PROJECTION], directions, inputs),
      .factor = take(&tensors[FACTOR], NAMES[FACTOR], classes, factor_size(directions)),
      .shift = take(&tensors[SHIFT], NAMES[SHIFT], classes, directions),
      .offset = take(&tensors[OFFSET], NAMES[OFFSET], classes, 1),
  };
  if (!model.projection || !model.factor || !model.shift || !model.offset)
    return fail(err, "a parameter has another name, type or shape than it was given");
  exports_thimble_solution_predictor_model_t *own = malloc(sizeof *own);
  if (!own) return fail(err, "out of memory");
  own->model = model;
  *ret = exports_thimble_solution_predictor_model_new(own);
  return true;
}

bool exports_thimble_solution_predictor_method_model_predict(
    exports_thimble_solution_predictor_borrow_model_t self, exports_thimble_solution_predictor_list_tensor_t *inputs,
    exports_thimble_solution_predictor_list_tensor_t *ret, solution_string_t *err) {
  const Model *model = &self->model;
  const Tensor *x = inputs->ptr;
  if (inputs->len < 1 || x->values.tag != THIMBLE_SOLUTION_TENSORS_VALUES_F32 || x->shape.len < 1)
    return fail(err, "features are not f32");
  size_t rows = x->shape.ptr[0];
  if (x->values.val.f32.len != rows * model->inputs) return fail(err, "rows have another width than the metadata says");
  float *scores = malloc(rows * model->classes * sizeof(float));
  Tensor *tensor = malloc(sizeof(Tensor));
  if (!scores || !tensor || !score(model, x->values.val.f32.ptr, rows, scores) ||
      !set_tensor(tensor, "scores", rows, model->classes, scores))
    return fail(err, "out of memory");
  exports_thimble_solution_predictor_list_tensor_free(inputs);
  *ret = (exports_thimble_solution_predictor_list_tensor_t){tensor, 1};
  return true;
}

void exports_thimble_solution_predictor_model_destructor(exports_thimble_solution_predictor_model_t *own) {
  model_free(&own->model);
  free(own);
}
