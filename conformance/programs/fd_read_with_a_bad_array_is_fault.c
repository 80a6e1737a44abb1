// fd_read: the array of buffers lies outside of memory; the position stays. [spec: errno fault]
#include "wasi.h"

void test(void) {
    u32 n;
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_read(file, NOWHERE, 1, &n));
    expect(FAULT, fd_read(file, (iovec *)(MEMORY_END - 8), 2, &n));
    holds(position(file) == 0);
}
