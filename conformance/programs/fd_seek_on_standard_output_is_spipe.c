// fd_seek, fd_tell: what is no file has no position. [POSIX: lseek, SPIPE; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    u64 at;
    expect_either(SPIPE, NOTCAPABLE, fd_seek(STDOUT, 0, CUR, &at));
    expect_either(SPIPE, NOTCAPABLE, fd_tell(STDOUT, &at));
}
