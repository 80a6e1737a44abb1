// fd_read: the first buffer lies outside of memory, wholly or in part; the position stays. [spec: errno fault]
#include "wasi.h"

void test(void) {
    iovec outside = {NOWHERE, 4}, across = {MEMORY_END - 2, 4};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_read(file, &outside, 1, &n));
    expect(FAULT, fd_read(file, &across, 1, &n));
    holds(position(file) == 0);
}
