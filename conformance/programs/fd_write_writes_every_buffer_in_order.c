// fd_write: all buffers go out, in order. [POSIX: writev]
#include "wasi.h"

void test(void) {
    ciovec iovs[] = {{"one, ", 5}, {0, 0}, {"two, ", 5}, {"three\n", 6}};
    u32 n;
    expect(SUCCESS, fd_write(STDOUT, iovs, 4, &n));
    holds(n == 16);
}
