// fd_write: a file opened for reading only. [POSIX: write, BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    u32 n;
    fd file = opened_with("text.txt", 0, FD_READ, 0);
    expect_either(BADF, NOTCAPABLE, fd_write(file, &iov, 1, &n));
    expect_content("text.txt", "hello, world\n");
}
