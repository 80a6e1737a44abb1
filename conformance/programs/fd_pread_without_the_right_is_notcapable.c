// fd_pread: it needs FD_READ and FD_SEEK. [spec: rights fd_read, fd_seek]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_set_rights(file, FD_READ, 0));
    expect(NOTCAPABLE, fd_pread(file, &iov, 1, 0, &n));
    expect(SUCCESS, fd_read(file, &iov, 1, &n));
}
