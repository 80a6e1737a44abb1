// fd_close: standard output can be closed and is gone then. [POSIX: close]
#include "wasi.h"

void test(void) {
    ciovec iov = {"lost", 4};
    u32 n;
    expect(SUCCESS, fd_close(STDOUT));
    expect(BADF, fd_write(STDOUT, &iov, 1, &n));
}
