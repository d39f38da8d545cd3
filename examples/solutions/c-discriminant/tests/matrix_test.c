// Built for the machine itself. Exit status 1 and the line of the first promise that is not kept.
#include "matrix.h"

#include <math.h>
#include <stdio.h>

enum { N = 5 };

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) {                                         \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition);   \
      return 1;                                                 \
    }                                                           \
  } while (0)

// Symmetric and positive definite: B·Bᵀ + I of a B without pattern.
static void fill(double *a) {
  double b[N * N];
  for (int i = 0; i < N * N; i++) b[i] = (i * 7919 % 101) / 101.0 - 0.5;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i * N + j] = i == j;
      for (int k = 0; k < N; k++) a[i * N + j] += b[i * N + k] * b[j * N + k];
    }
}

static int factor_times_its_transpose_is_the_matrix(void) {
  double a[N * N], l[N * N];
  fill(a), fill(l);
  CHECK(cholesky(l, N));
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = 0; k <= j; k++) sum += l[i * N + k] * l[j * N + k];
      CHECK(fabs(sum - a[i * N + j]) < 1e-12);
    }
  double indefinite[4] = {1, 2, 2, 1};
  CHECK(!cholesky(indefinite, 2));
  return 0;
}

static int both_solutions_give_back_the_right_hand_side(void) {
  double a[N * N], l[N * N], x[N] = {1, -2, 3, 0.5, 4};
  fill(a), fill(l);
  CHECK(cholesky(l, N));
  solve_lower(l, N, x);
  solve_lower_transposed(l, N, x);
  double expected[N] = {1, -2, 3, 0.5, 4};
  for (int i = 0; i < N; i++) {
    double sum = 0;
    for (int k = 0; k < N; k++) sum += a[i * N + k] * x[k];
    CHECK(fabs(sum - expected[i]) < 1e-12);
  }
  return 0;
}

static int eigenvectors_are_orthonormal_and_scaled_by_the_matrix(void) {
  double a[N * N], values[N * N], v[N * N];
  fill(a), fill(values);
  eigen(values, v, N);
  for (int c = 0; c < N; c++) {
    for (int i = 0; i < N; i++) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += a[i * N + k] * v[k * N + c];
      CHECK(fabs(sum - values[c * N + c] * v[i * N + c]) < 1e-10);
    }
    for (int d = 0; d < N; d++) {
      double inner = 0;
      for (int k = 0; k < N; k++) inner += v[k * N + c] * v[k * N + d];
      CHECK(fabs(inner - (c == d)) < 1e-12);
    }
  }
  return 0;
}

static int logarithm_is_that_of_the_host(void) {
  for (double x = 1e-300; x < 1e300; x *= 1.37) CHECK(fabs(natural_logarithm(x) - log(x)) <= 1e-13 * fmax(1, fabs(log(x))));
  CHECK(natural_logarithm(1) == 0);
  return 0;
}

int main(void) {
  return factor_times_its_transpose_is_the_matrix() || both_solutions_give_back_the_right_hand_side() ||
         eigenvectors_are_orthonormal_and_scaled_by_the_matrix() || logarithm_is_that_of_the_host();
}
