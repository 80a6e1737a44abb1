// fd_sync, fd_datasync: both on a file that was written. [POSIX: fsync, fdatasync]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "abc");
    expect(SUCCESS, fd_sync(file));
    expect(SUCCESS, fd_datasync(file));
}
