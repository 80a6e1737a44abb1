// fd_write: the buffer or the array lies outside of memory. [spec: errno fault]
#include "wasi.h"

void test(void) {
    ciovec outside = {NOWHERE, 4}, across = {MEMORY_END - 2, 4};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_write(file, &outside, 1, &n));
    expect(FAULT, fd_write(file, &across, 1, &n));
    expect(FAULT, fd_write(file, NOWHERE, 1, &n));
    expect_content("text.txt", "hello, world\n");
}
