// environ_get: each variable is NAME=value with a NUL; a value may hold an equals sign. [spec: environ_get]
#include "wasi.h"

void test(void) {
    char *environ[3], buf[64];
    u32 count, size, seen = 0;
    expect(SUCCESS, environ_sizes_get(&count, &size));
    holds(count == 3 && size == 11 + 7 + 10);
    expect(SUCCESS, environ_get(environ, buf));
    const char *expected[] = {"NAME=value", "EMPTY=", "SUM=1+1=2"};
    for (u32 i = 0; i < 3; i++)
        for (u32 k = 0; k < 3; k++)
            if (same(environ[i], expected[k], length(expected[k]) + 1)) seen |= 1u << k;
    holds(seen == 7);
}
