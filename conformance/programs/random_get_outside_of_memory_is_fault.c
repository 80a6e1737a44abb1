// random_get: the buffer lies outside of memory, wholly or in part. [spec: errno fault]
#include "wasi.h"

void test(void) {
    expect(FAULT, random_get(NOWHERE, 8));
    expect(FAULT, random_get(MEMORY_END - 4, 8));
    expect(FAULT, random_get(0, 0xffffffff));
}
