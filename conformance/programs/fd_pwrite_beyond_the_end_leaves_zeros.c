// fd_pwrite: what lies between the old end and the offset reads as zeros. [POSIX: pwrite, lseek]
#include "wasi.h"

void test(void) {
    ciovec iov = {"z", 1};
    u32 n;
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "a");
    expect(SUCCESS, fd_pwrite(file, &iov, 1, 4, &n));
    expect_bytes("new", "a\0\0\0z", 5);
}
