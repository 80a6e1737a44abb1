// fd_pread, fd_pwrite: an offset from 2^63 up is negative to POSIX. [POSIX: pread, pwrite]
#include "wasi.h"

void test(void) {
    char buf[] = "x";
    iovec iov = {buf, 1};
    ciovec ciov = {buf, 1};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(INVAL, fd_pread(file, &iov, 1, 1ull << 63, &n));
    expect(INVAL, fd_pread(file, &iov, 1, ~0ull, &n));
    expect(INVAL, fd_pwrite(file, &ciov, 1, 1ull << 63, &n));
    expect_content("text.txt", "hello, world\n");
}
