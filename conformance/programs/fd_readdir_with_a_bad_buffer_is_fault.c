// fd_readdir: the buffer lies outside of memory. [spec: errno fault]
#include "wasi.h"

void test(void) {
    u32 used;
    expect(FAULT, fd_readdir(ROOT, NOWHERE, 100, 0, &used));
    expect(FAULT, fd_readdir(ROOT, MEMORY_END - 10, 100, 0, &used));
}
