// environ_get, environ_sizes_get: pointers outside of memory. [spec: errno fault]
#include "wasi.h"

void test(void) {
    char *environ[2], buf[64];
    u32 count;
    expect(FAULT, environ_sizes_get(&count, NOWHERE));
    expect(FAULT, environ_sizes_get(NOWHERE, &count));
    expect(FAULT, environ_get(NOWHERE, buf));
    expect(FAULT, environ_get(environ, NOWHERE));
}
