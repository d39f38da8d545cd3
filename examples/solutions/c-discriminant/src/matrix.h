// Small dense linear algebra in f64, row-major.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// Replaces the lower triangle of the symmetric n × n matrix `a` by L with L·Lᵀ = A; the rest stays. False when A is not
// positive definite.
bool cholesky(double *a, size_t n);

// Solves L·x = b and Lᵀ·x = b in place.
void solve_lower(const double *l, size_t n, double *b);
void solve_lower_transposed(const double *l, size_t n, double *b);

// Eigenvalues and eigenvectors of the symmetric n × n matrix `a` by Jacobi's rotations. Leaves the values on the diagonal of
// `a` and writes the vectors to the columns of `v`; in no order.
void eigen(double *a, double *v, size_t n);

double square_root(double x);

// ln x of a positive, normal x, to about 1e-14.
double natural_logarithm(double x);
