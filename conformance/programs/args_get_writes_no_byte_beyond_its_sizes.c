// args_get: nothing behind the pointers and the text is written. [spec: args_sizes_get]
#include "wasi.h"

void test(void) {
    char *argv[4], buf[256];
    u32 argc, size;
    expect(SUCCESS, args_sizes_get(&argc, &size));
    holds(argc == 2 && size < sizeof buf);
    fill(argv, 0xAA, sizeof argv);
    fill(buf, 0xAA, sizeof buf);
    expect(SUCCESS, args_get(argv, buf));
    holds(filled(argv + argc, 0xAA, sizeof argv - argc * sizeof *argv));
    holds(filled(buf + size, 0xAA, sizeof buf - size));
}
