#include <stdlib.h>
#include <string.h>

#include "discriminant.h"
#include "matrix.h"

static const char NO_MEMORY[] = "out of memory";

// What is tried: the multiple of the mean variance that is added to the shared covariance, and the weight of the shared
// covariance in that of a class. A weight of 1 is linear discriminant analysis.
static const double RIDGES[] = {0.003, 0.03, 0.3};
static const double WEIGHTS[] = {1, 0.8, 0.6, 0.4, 0.2, 0.1};
enum { RIDGE_COUNT = sizeof RIDGES / sizeof *RIDGES, WEIGHT_COUNT = sizeof WEIGHTS / sizeof *WEIGHTS };
enum { MOST_DIRECTIONS = 48 };

// Sums over a split. The covariance is filled in its lower triangle only.
typedef struct {
  double *counts;     // classes
  double *means;      // classes × inputs
  double *mean;       // inputs
  double *covariance; // inputs × inputs, within the classes
} Moments;

bool model_allocate(Model *model, size_t inputs, size_t classes, size_t directions) {
  *model = (Model){.inputs = inputs, .classes = classes, .directions = directions};
  model->projection = malloc(directions * inputs * sizeof(float));
  model->factor = malloc(classes * factor_size(directions) * sizeof(float));
  model->shift = malloc(classes * directions * sizeof(float));
  model->offset = malloc(classes * sizeof(float));
  return model->projection && model->factor && model->shift && model->offset;
}

void model_free(Model *model) {
  free(model->projection);
  free(model->factor);
  free(model->shift);
  free(model->offset);
}

static void model_copy(Model *to, const Model *from) {
  size_t directions = from->directions, classes = from->classes;
  memcpy(to->projection, from->projection, directions * from->inputs * sizeof(float));
  memcpy(to->factor, from->factor, classes * factor_size(directions) * sizeof(float));
  memcpy(to->shift, from->shift, classes * directions * sizeof(float));
  memcpy(to->offset, from->offset, classes * sizeof(float));
}

size_t directions_within(uint64_t parameters, size_t inputs, size_t classes) {
  size_t most = classes - 1 < MOST_DIRECTIONS ? classes - 1 : MOST_DIRECTIONS;
  if (most > inputs) most = inputs;
  for (size_t d = most; d > 0; d--)
    if ((uint64_t)d * inputs + (uint64_t)classes * (factor_size(d) + d + 1) <= parameters) return d;
  return 0;
}

// Adds x·xᵀ to the lower triangle of an n × n matrix.
static void add_square(double *sum, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double scale = x[i], *row = sum + i * n;
    for (size_t j = 0; j <= i; j++) row[j] += scale * x[j];
  }
}

// One pass: Σ x·xᵀ, less what the means of the classes explain.
static const char *moments_of(Moments *moments, const Split *train, size_t n, size_t classes) {
  double *row = malloc(n * sizeof(double));
  moments->counts = calloc(classes, sizeof(double));
  moments->means = calloc(classes * n, sizeof(double));
  moments->mean = calloc(n, sizeof(double));
  moments->covariance = calloc(n * n, sizeof(double));
  if (!row || !moments->counts || !moments->means || !moments->mean || !moments->covariance) return NO_MEMORY;
  for (size_t r = 0; r < train->rows; r++) {
    double *mean = moments->means + (size_t)train->labels[r] * n;
    for (size_t k = 0; k < n; k++) {
      row[k] = train->x[r * n + k];
      mean[k] += row[k];
    }
    moments->counts[train->labels[r]] += 1;
    add_square(moments->covariance, row, n);
  }
  for (size_t c = 0; c < classes; c++) {
    if (moments->counts[c] == 0) return "a class has no row in the training split";
    double *mean = moments->means + c * n, root = square_root(moments->counts[c]);
    for (size_t k = 0; k < n; k++) {
      moments->mean[k] += mean[k] / (double)train->rows;
      mean[k] /= moments->counts[c];
      row[k] = mean[k] * root;
    }
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) moments->covariance[i * n + j] -= row[i] * row[j];
  }
  double freedom = train->rows > classes ? (double)(train->rows - classes) : 1;
  for (size_t i = 0; i < n * n; i++) moments->covariance[i] /= freedom;
  free(row);
  return NULL;
}

static void moments_free(Moments *moments) {
  free(moments->counts);
  free(moments->means);
  free(moments->mean);
  free(moments->covariance);
}

// The index of the largest diagonal value of the n × n matrix `a`, which is then struck out.
static size_t take_largest(double *a, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (a[i * n + i] > a[best * n + best]) best = i;
  a[best * n + best] = -1;
  return best;
}

// Fisher's directions: with L·Lᵀ the shared covariance, the leading principal axes of the class means in the space of L⁻¹x.
static const char *fisher(Model *model, const Moments *moments, double ridge, double rows) {
  size_t n = model->inputs, classes = model->classes;
  double *l = malloc(n * n * sizeof(double)), *whitened = malloc(classes * n * sizeof(double));
  double *gram = malloc(classes * classes * sizeof(double)), *vectors = malloc(classes * classes * sizeof(double));
  double *direction = malloc(n * sizeof(double));
  if (!l || !whitened || !gram || !vectors || !direction) return NO_MEMORY;

  double trace = 0;
  for (size_t k = 0; k < n; k++) trace += moments->covariance[k * n + k];
  memcpy(l, moments->covariance, n * n * sizeof(double));
  for (size_t k = 0; k < n; k++) l[k * n + k] += ridge * trace / (double)n + 1e-12;
  if (!cholesky(l, n)) return "the shared covariance is not positive definite";

  for (size_t c = 0; c < classes; c++) {
    double share = square_root(moments->counts[c] / rows), *at = whitened + c * n;
    for (size_t k = 0; k < n; k++) at[k] = share * (moments->means[c * n + k] - moments->mean[k]);
    solve_lower(l, n, at);
    for (size_t other = 0; other <= c; other++) {
      double sum = 0;
      for (size_t k = 0; k < n; k++) sum += at[k] * whitened[other * n + k];
      gram[c * classes + other] = gram[other * classes + c] = sum;
    }
  }
  eigen(gram, vectors, classes);
  for (size_t d = 0; d < model->directions; d++) {
    double value = gram[0];
    for (size_t i = 1; i < classes; i++)
      if (gram[i * classes + i] > value) value = gram[i * classes + i];
    size_t best = take_largest(gram, classes);
    memset(direction, 0, n * sizeof(double));
    for (size_t c = 0; c < classes; c++)
      for (size_t k = 0; k < n; k++) direction[k] += vectors[c * classes + best] * whitened[c * n + k];
    solve_lower_transposed(l, n, direction);
    double scale = value > 1e-12 ? 1 / square_root(value) : 0;
    for (size_t k = 0; k < n; k++) model->projection[d * n + k] = (float)(scale * direction[k]);
  }
  free(l), free(whitened), free(gram), free(vectors), free(direction);
  return NULL;
}

// Sums of z and z·zᵀ per class over the training split.
static void project_moments(const Model *model, const Split *train, double *sums, double *squares) {
  size_t n = model->inputs, directions = model->directions;
  for (size_t r = 0; r < train->rows; r++) {
    double z[MOST_DIRECTIONS];
    size_t c = (size_t)train->labels[r];
    for (size_t d = 0; d < directions; d++) {
      float sum = 0;
      for (size_t k = 0; k < n; k++) sum += train->x[r * n + k] * model->projection[d * n + k];
      z[d] = sum;
      sums[c * directions + d] += sum;
    }
    add_square(squares + c * directions * directions, z, directions);
  }
}

// The Gaussian of class c: `mean` and the mean square `square` of its z, mixed with the identity.
static bool set_class(Model *model, size_t c, const double *mean, const double *square, double weight, double prior) {
  size_t directions = model->directions;
  double l[MOST_DIRECTIONS * MOST_DIRECTIONS], column[MOST_DIRECTIONS];
  for (size_t i = 0; i < directions; i++)
    for (size_t j = 0; j <= i; j++)
      l[i * directions + j] =
          (1 - weight) * (square[i * directions + j] - mean[i] * mean[j]) + (i == j ? weight : 0);
  if (!cholesky(l, directions)) return false;

  float *factor = model->factor + c * factor_size(directions), *shift = model->shift + c * directions;
  double logarithm = 0;
  memcpy(column, mean, directions * sizeof(double));
  solve_lower(l, directions, column);
  for (size_t i = 0; i < directions; i++) {
    shift[i] = (float)column[i];
    logarithm += natural_logarithm(l[i * directions + i]);
  }
  for (size_t j = 0; j < directions; j++) {
    for (size_t i = 0; i < directions; i++) column[i] = i == j;
    solve_lower(l, directions, column);
    for (size_t i = j; i < directions; i++) factor[factor_size(i) + j] = (float)column[i];
  }
  model->offset[c] = (float)(natural_logarithm(prior) - logarithm);
  return true;
}

// Right answers on `split`; −1 without memory.
static long correct(const Model *model, const Split *split) {
  float *scores = malloc(split->rows * model->classes * sizeof(float));
  if (!scores || !score(model, split->x, split->rows, scores)) return -1;
  long right = 0;
  for (size_t r = 0; r < split->rows; r++) {
    const float *row = scores + r * model->classes;
    size_t best = 0;
    for (size_t c = 1; c < model->classes; c++)
      if (row[c] > row[best]) best = c;
    right += best == (size_t)split->labels[r];
  }
  free(scores);
  return right;
}

// Tries all weights behind one projection; keeps in `model` what is better than `best` right answers.
static const char *try_weights(Model *model, Model *trial, const Moments *moments, const Split *train, const Split *val,
                               long *best) {
  size_t classes = model->classes, directions = model->directions;
  double *means = calloc(classes * directions, sizeof(double));
  double *squares = calloc(classes * directions * directions, sizeof(double));
  if (!means || !squares) return NO_MEMORY;
  project_moments(trial, train, means, squares);
  for (size_t c = 0; c < classes; c++) {
    for (size_t i = 0; i < directions; i++) means[c * directions + i] /= moments->counts[c];
    for (size_t i = 0; i < directions * directions; i++) squares[c * directions * directions + i] /= moments->counts[c];
  }
  for (size_t w = 0; w < WEIGHT_COUNT; w++) {
    bool definite = true;
    for (size_t c = 0; c < classes; c++) {
      double prior = moments->counts[c] / (double)train->rows;
      definite &= set_class(trial, c, means + c * directions, squares + c * directions * directions, WEIGHTS[w], prior);
    }
    if (!definite) continue;
    long right = correct(trial, val);
    if (right < 0) return NO_MEMORY;
    if (right > *best) {
      *best = right;
      model_copy(model, trial);
    }
  }
  free(means), free(squares);
  return NULL;
}

const char *fit(Model *model, const Split *train, const Split *val) {
  Moments moments;
  Model trial;
  const char *error = moments_of(&moments, train, model->inputs, model->classes);
  if (error) return error;
  if (!model_allocate(&trial, model->inputs, model->classes, model->directions)) return NO_MEMORY;
  long best = -1;
  for (size_t r = 0; r < RIDGE_COUNT; r++) {
    error = fisher(&trial, &moments, RIDGES[r], (double)train->rows);
    if (!error) error = try_weights(model, &trial, &moments, train, val, &best);
    if (error) return error;
  }
  moments_free(&moments);
  model_free(&trial);
  return best < 0 ? "no class has a covariance" : NULL;
}
