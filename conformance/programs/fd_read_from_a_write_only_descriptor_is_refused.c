// fd_read: a file opened for writing only. [POSIX: read, BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    u32 n;
    fd file = opened_with("text.txt", 0, FD_WRITE, 0);
    expect_either(BADF, NOTCAPABLE, fd_read(file, &iov, 1, &n));
}
