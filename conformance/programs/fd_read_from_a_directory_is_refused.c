// fd_read: a directory is listed, not read. [official: dir_fd_op_failures, BADF; POSIX: read, ISDIR]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    u32 n;
    u32 answer = fd_read(opened_directory("sub"), &iov, 1, &n);
    holds(answer == BADF || answer == ISDIR || answer == NOTCAPABLE);
}
