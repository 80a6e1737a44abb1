// fd_advise: a directory takes no advice. [official: dir_fd_op_failures, BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub");
    expect_either(BADF, NOTCAPABLE, fd_advise(directory, 0, 0, NORMAL));
}
