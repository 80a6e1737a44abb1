// args_sizes_get: the size is that of all arguments, each with its NUL. [spec: args_sizes_get]
#include "wasi.h"

void test(void) {
    u32 argc, size, used = 0;
    char *argv[3], buf[256];
    expect(SUCCESS, args_sizes_get(&argc, &size));
    holds(argc == 3 && size <= sizeof buf);
    expect(SUCCESS, args_get(argv, buf));
    for (u32 i = 0; i < 3; i++) used += length(argv[i]) + 1;
    holds(size == used);
}
