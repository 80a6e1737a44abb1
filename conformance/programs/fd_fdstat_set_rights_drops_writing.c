// fd_fdstat_set_rights: what was dropped is NOTCAPABLE from then on. [official: fd_fdstat_set_rights]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    ciovec iov = {"x", 1};
    u32 n;
    expect(SUCCESS, fd_fdstat_set_rights(file, FILE_RIGHTS & ~FD_WRITE, 0));
    expect(NOTCAPABLE, fd_write(file, &iov, 1, &n));
    expect_content("text.txt", "hello, world\n");
}
