// fd_pwrite: all buffers in order, at the offset; the position stays. [POSIX: pwrite, writev]
#include "wasi.h"

void test(void) {
    ciovec iovs[] = {{"W", 1}, {0, 0}, {"ORL", 3}};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_pwrite(file, iovs, 3, 7, &n));
    holds(n == 4 && position(file) == 0);
    expect_content("text.txt", "hello, WORLd\n");
}
