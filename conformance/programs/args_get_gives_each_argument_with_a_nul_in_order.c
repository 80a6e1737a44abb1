// args_get, args_sizes_get: each argument in order, ended by a NUL, in one buffer. [spec: args_get]
#include "wasi.h"

void test(void) {
    char *argv[5], buf[256];
    u32 argc, size;
    expect(SUCCESS, args_sizes_get(&argc, &size));
    holds(argc == 5 && size <= sizeof buf);
    expect(SUCCESS, args_get(argv, buf));
    const char *expected[] = {"one", "", "two words", "caf\xc3\xa9"};
    for (u32 i = 0; i < 4; i++) holds(same(argv[i + 1], expected[i], length(expected[i]) + 1));
}
