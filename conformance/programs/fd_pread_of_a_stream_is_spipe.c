// fd_pread, fd_pwrite: what has no position. [POSIX: pread, SPIPE; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    char buf[] = "x";
    iovec iov = {buf, 1};
    ciovec ciov = {buf, 1};
    u32 n;
    expect_either(SPIPE, NOTCAPABLE, fd_pread(STDIN, &iov, 1, 0, &n));
    expect_either(SPIPE, NOTCAPABLE, fd_pwrite(STDOUT, &ciov, 1, 0, &n));
}
