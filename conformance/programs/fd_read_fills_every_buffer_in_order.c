// fd_read: all buffers are filled, not just the first. [POSIX: readv]
#include "wasi.h"

void test(void) {
    char a[3], b[4], c[16];
    iovec iovs[] = {{a, 3}, {b, 4}, {c, 16}};
    u32 nread;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_read(file, iovs, 3, &nread));
    holds(nread == 13 && same(a, "hel", 3) && same(b, "lo, ", 4) && same(c, "world\n", 6));
    holds(position(file) == 13);
}
