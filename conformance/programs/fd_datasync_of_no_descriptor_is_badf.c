// fd_datasync, fd_sync: numbers that are no descriptors. [POSIX: fsync]
#include "wasi.h"

void test(void) {
    expect(BADF, fd_datasync(99));
    expect(BADF, fd_sync(99));
}
