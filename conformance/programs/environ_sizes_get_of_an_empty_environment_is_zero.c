// environ_sizes_get: without variables both sizes are 0. [official: environ_sizes_get-no-variables]
#include "wasi.h"

void test(void) {
    u32 count = 9, size = 9;
    expect(SUCCESS, environ_sizes_get(&count, &size));
    holds(count == 0 && size == 0);
}
