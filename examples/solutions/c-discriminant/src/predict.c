// The part that is metered per sample: 128-bit vectors, no lane wasted.
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

#include "discriminant.h"

// Rows that are scored together, one per lane of two vectors.
enum { GROUP = 8, ACROSS = 3 };

size_t factor_size(size_t directions) { return directions * (directions + 1) / 2; }

static float sum_of_lanes(v128_t v) {
  return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
         (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

static v128_t multiply_add(v128_t a, v128_t b, v128_t sum) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), sum); }

// The inner products of two rows with three directions: each value that is loaded is used two or three times.
static void project_block(const float *x[2], const float *w[ACROSS], size_t n, float out[2][ACROSS]) {
  v128_t sums[2][ACROSS];
  for (int r = 0; r < 2; r++)
    for (int d = 0; d < ACROSS; d++) sums[r][d] = wasm_f32x4_const_splat(0);
  size_t k = 0;
  for (; k + 8 <= n; k += 8) {
#pragma clang loop unroll(full)
    for (int step = 0; step < 8; step += 4) {
      v128_t first = wasm_v128_load(x[0] + k + step), second = wasm_v128_load(x[1] + k + step);
#pragma clang loop unroll(full)
      for (int d = 0; d < ACROSS; d++) {
        v128_t weight = wasm_v128_load(w[d] + k + step);
        sums[0][d] = multiply_add(first, weight, sums[0][d]);
        sums[1][d] = multiply_add(second, weight, sums[1][d]);
      }
    }
  }
  for (int r = 0; r < 2; r++)
    for (int d = 0; d < ACROSS; d++) {
      float sum = sum_of_lanes(sums[r][d]);
      for (size_t rest = k; rest < n; rest++) sum += x[r][rest] * w[d][rest];
      out[r][d] = sum;
    }
}

// Writes z of the rows `x` to `z`, directions × GROUP. Rows that are missing are the last one again.
static void project(const Model *model, const float *x, size_t rows, float *z) {
  size_t n = model->inputs, directions = model->directions;
  for (size_t row = 0; row < GROUP; row += 2) {
    const float *pair[2];
    for (size_t r = 0; r < 2; r++) pair[r] = x + (row + r < rows ? row + r : rows - 1) * n;
    for (size_t at = 0; at < directions; at += ACROSS) {
      const float *w[ACROSS];
      float out[2][ACROSS];
      for (size_t d = 0; d < ACROSS; d++)
        w[d] = model->projection + (at + d < directions ? at + d : directions - 1) * n;
      project_block(pair, w, n, out);
      for (size_t d = 0; d < ACROSS && at + d < directions; d++)
        for (size_t r = 0; r < 2; r++) z[(at + d) * GROUP + row + r] = out[r][d];
    }
  }
}

// The scores of a group in class c, one per lane.
static void score_class(const Model *model, size_t c, const float *z, float out[GROUP]) {
  size_t directions = model->directions;
  const float *factor = model->factor + c * factor_size(directions);
  const float *shift = model->shift + c * directions;
  v128_t low = wasm_f32x4_const_splat(0), high = low;
  for (size_t i = 0; i < directions; i++) {
    v128_t a = wasm_f32x4_neg(wasm_v128_load32_splat(shift + i)), b = a;
    for (size_t j = 0; j <= i; j++) {
      v128_t r = wasm_v128_load32_splat(factor++);
      a = multiply_add(r, wasm_v128_load(z + j * GROUP), a);
      b = multiply_add(r, wasm_v128_load(z + j * GROUP + 4), b);
    }
    low = multiply_add(a, a, low);
    high = multiply_add(b, b, high);
  }
  v128_t half = wasm_f32x4_const_splat(-0.5f), offset = wasm_v128_load32_splat(model->offset + c);
  wasm_v128_store(out, multiply_add(low, half, offset));
  wasm_v128_store(out + 4, multiply_add(high, half, offset));
}

bool score(const Model *model, const float *x, size_t rows, float *scores) {
  float *z = malloc(model->directions * GROUP * sizeof(float));
  if (!z) return false;
  for (size_t start = 0; start < rows; start += GROUP) {
    size_t group = rows - start < GROUP ? rows - start : GROUP;
    project(model, x + start * model->inputs, group, z);
    for (size_t c = 0; c < model->classes; c++) {
      float out[GROUP];
      score_class(model, c, z, out);
      for (size_t r = 0; r < group; r++) scores[(start + r) * model->classes + c] = out[r];
    }
  }
  free(z);
  return true;
}
