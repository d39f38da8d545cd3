// Memory for a module that nobody else gives any.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Blocks are powers of two; a freed one waits in the list of its size. Batches come in one size, so they fit again.
enum { PAGE = 65536, SMALLEST = 5, LARGEST = 31 };

// Stands before every block, and keeps it aligned for 128-bit vectors.
typedef struct Header {
  _Alignas(16) struct Header *next;
  uint32_t size_bits;
} Header;

static Header *free_blocks[LARGEST];
extern char __heap_base; // from the linker
static uintptr_t top;

// Bits of the block that holds `size` bytes and a header; `LARGEST` when there is none.
static uint32_t bits_of(size_t size) {
  if (size > ((size_t)1 << (LARGEST - 1)) - sizeof(Header)) return LARGEST;
  uint32_t bits = SMALLEST;
  while (((size_t)1 << bits) < size + sizeof(Header)) bits++;
  return bits;
}

// Moves the top of the heap; false when the host has no more.
static bool extend(size_t size) {
  size_t end = (size_t)__builtin_wasm_memory_size(0) * PAGE;
  if (top == 0) top = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  if (size > SIZE_MAX - top) return false;
  if (top + size > end) {
    size_t pages = (top + size - end + PAGE - 1) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return false;
  }
  top += size;
  return true;
}

void *malloc(size_t size) {
  uint32_t bits = bits_of(size);
  if (bits == LARGEST) return NULL;
  Header *header = free_blocks[bits];
  if (header) {
    free_blocks[bits] = header->next;
  } else {
    size_t block = (size_t)1 << bits;
    if (!extend(block)) return NULL;
    header = (Header *)(top - block);
  }
  header->size_bits = bits;
  return header + 1;
}

void free(void *block) {
  if (!block) return;
  Header *header = (Header *)block - 1;
  header->next = free_blocks[header->size_bits];
  free_blocks[header->size_bits] = header;
}

void *calloc(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) return NULL;
  void *block = malloc(count * size);
  return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *block, size_t size) {
  if (!block) return malloc(size);
  size_t holds = ((size_t)1 << ((Header *)block - 1)->size_bits) - sizeof(Header);
  if (size <= holds) return block;
  void *larger = malloc(size);
  if (!larger) return NULL;
  memcpy(larger, block, holds);
  free(block);
  return larger;
}

_Noreturn void abort(void) { __builtin_trap(); }

// These two become one instruction each: memory.copy and memory.fill.
void *memcpy(void *to, const void *from, size_t size) { return __builtin_memcpy(to, from, size); }
void *memset(void *to, int byte, size_t size) { return __builtin_memset(to, byte, size); }

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

int memcmp(const void *a, const void *b, size_t size) {
  const uint8_t *x = a, *y = b;
  for (size_t i = 0; i < size; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}
