// fd_filestat_set_size, fd_allocate: a directory has no size to set. [official: dir_fd_op_failures, BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub");
    expect_either(BADF, NOTCAPABLE, fd_filestat_set_size(directory, 0));
    u32 answer = fd_allocate(directory, 0, 1);
    holds(answer == BADF || answer == NOTCAPABLE || answer == NOTSUP);
}
