// Regularised discriminant analysis (Friedman 1989) behind Fisher's projection.
//
// A row x of `inputs` values is projected to z of `directions` values, in which the classes' shared covariance is the
// identity. Class c is a Gaussian there: its score is −½ ‖R z − b‖² + offset, with R the inverse Cholesky factor of its
// covariance, lower triangular, and b = R · mean.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t inputs, classes, directions;
  float *projection; // directions × inputs
  float *factor;     // classes × directions (directions + 1) ÷ 2: the rows of R one after the other
  float *shift;      // classes × directions: b
  float *offset;     // classes
} Model;

// Rows with their classes.
typedef struct {
  size_t rows;
  float *x; // rows × inputs
  int64_t *labels;
} Split;

// Values in one R.
size_t factor_size(size_t directions);

// Allocates the arrays; false without memory.
bool model_allocate(Model *model, size_t inputs, size_t classes, size_t directions);
void model_free(Model *model);

// Directions that `parameters` numbers allow, at most classes − 1 and 16; 0 when not even one fits.
size_t directions_within(uint64_t parameters, size_t inputs, size_t classes);

// Fits to `train`, with the strengths of regularisation that are best on `val`. Returns NULL or why it cannot.
const char *fit(Model *model, const Split *train, const Split *val);

// Writes rows × classes scores; false without memory. What a row gets depends on that row alone.
bool score(const Model *model, const float *x, size_t rows, float *scores);
