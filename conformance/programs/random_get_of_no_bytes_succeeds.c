// random_get: 0 bytes, whatever the address. [official: random_get-zero-length]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, random_get(0, 0));
}
