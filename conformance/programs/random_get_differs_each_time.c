// random_get: two buffers of 32 bytes are not the same. [spec: random_get]
#include "wasi.h"

void test(void) {
    u8 a[32], b[32];
    expect(SUCCESS, random_get(a, 32));
    expect(SUCCESS, random_get(b, 32));
    holds(!same(a, b, 32));
}
