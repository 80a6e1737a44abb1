// fd_pwrite: what has no position. [POSIX: pwrite, SPIPE; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    u32 n;
    expect_either(SPIPE, NOTCAPABLE, fd_pwrite(STDOUT, &iov, 1, 0, &n));
}
