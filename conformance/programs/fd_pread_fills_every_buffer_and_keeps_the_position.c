// fd_pread: all buffers in order, from the offset; the position stays. [POSIX: pread, readv]
#include "wasi.h"

void test(void) {
    char a[2], b[3];
    iovec iovs[] = {{a, 2}, {0, 0}, {b, 3}};
    u32 nread;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_pread(file, iovs, 3, 7, &nread));
    holds(nread == 5 && same(a, "wo", 2) && same(b, "rld", 3));
    holds(position(file) == 0);
}
