#include "matrix.h"

#include <stdint.h>

double square_root(double x) { return __builtin_sqrt(x); }

double natural_logarithm(double x) {
  union {
    double value;
    uint64_t bits;
  } split = {x};
  int exponent = (int)(split.bits >> 52) - 1022;
  split.bits = (split.bits & 0xfffffffffffffULL) | (1022ULL << 52); // the mantissa, 0.5 to 1
  if (split.value < 0.70710678118654752) {
    split.value *= 2;
    exponent--;
  }
  // ln m = 2 artanh t with t = (m − 1) ÷ (m + 1), at most 0.172: ten terms of the series are enough.
  double t = (split.value - 1) / (split.value + 1), square = t * t, sum = 0;
  for (int k = 19; k > 0; k -= 2) sum = sum * square + 1.0 / k;
  return 2 * t * sum + exponent * 0.69314718055994531;
}

bool cholesky(double *a, size_t n) {
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 0)) return false;
      a[i * n + j] = i == j ? square_root(sum) : sum / a[j * n + j];
    }
  }
  return true;
}

void solve_lower(const double *l, size_t n, double *b) {
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) b[i] -= l[i * n + k] * b[k];
    b[i] /= l[i * n + i];
  }
}

void solve_lower_transposed(const double *l, size_t n, double *b) {
  for (size_t i = n; i-- > 0;) {
    b[i] /= l[i * n + i];
    for (size_t k = 0; k < i; k++) b[k] -= l[i * n + k] * b[i];
  }
}

// One rotation in the plane (p, q) that makes a[p][q] zero (Golub, Van Loan, Matrix Computations, 8.5).
static void rotate(double *a, double *v, size_t n, size_t p, size_t q) {
  double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  double root = square_root(1 + tau * tau);
  double t = tau >= 0 ? 1 / (tau + root) : -1 / (root - tau);
  double c = 1 / square_root(1 + t * t), s = t * c;
  for (size_t k = 0; k < n; k++) {
    double x = a[k * n + p], y = a[k * n + q];
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
  for (size_t k = 0; k < n; k++) {
    double x = a[p * n + k], y = a[q * n + k];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
  }
  for (size_t k = 0; k < n; k++) {
    double x = v[k * n + p], y = v[k * n + q];
    v[k * n + p] = c * x - s * y;
    v[k * n + q] = s * x + c * y;
  }
}

void eigen(double *a, double *v, size_t n) {
  double total = 0;
  for (size_t i = 0; i < n * n; i++) {
    v[i] = i % (n + 1) == 0;
    total += a[i] * a[i];
  }
  // Convergence is quadratic: a handful of sweeps do, thirty are a bound.
  for (int sweep = 0; sweep < 30; sweep++) {
    double off = 0;
    for (size_t p = 0; p < n; p++)
      for (size_t q = p + 1; q < n; q++) off += a[p * n + q] * a[p * n + q];
    if (off <= 1e-24 * total) return;
    for (size_t p = 0; p < n; p++)
      for (size_t q = p + 1; q < n; q++)
        if (a[p * n + q] != 0) rotate(a, v, n, p, q);
  }
}
