// args_get: pointers outside of memory, and nothing is written through the good one. [spec: errno fault]
#include "wasi.h"

void test(void) {
    char *argv[4], buf[256];
    fill(argv, 0xAA, sizeof argv);
    fill(buf, 0xAA, sizeof buf);
    expect(FAULT, args_get(NOWHERE, buf));
    expect(FAULT, args_get(argv, NOWHERE));
    holds(filled(argv, 0xAA, sizeof argv) && filled(buf, 0xAA, sizeof buf));
}
