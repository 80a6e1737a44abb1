// fd_pread: at and beyond the end there are 0 bytes, across it fewer than asked for. [POSIX: pread]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 nread;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_pread(file, &iov, 1, 13, &nread));
    holds(nread == 0);
    expect(SUCCESS, fd_pread(file, &iov, 1, 1ull << 40, &nread));
    holds(nread == 0);
    expect(SUCCESS, fd_pread(file, &iov, 1, 10, &nread));
    holds(nread == 3 && same(buf, "ld\n", 3));
}
