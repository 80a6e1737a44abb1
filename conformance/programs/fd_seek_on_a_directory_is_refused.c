// fd_seek, fd_tell: a directory has cookies, no position. [official: directory_seek]
#include "wasi.h"

void test(void) {
    u64 at;
    fd directory = opened_directory("sub");
    expect_either(BADF, NOTCAPABLE, fd_seek(directory, 0, CUR, &at));
    expect_either(BADF, NOTCAPABLE, fd_tell(directory, &at));
}
