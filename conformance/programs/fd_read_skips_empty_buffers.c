// fd_read: empty buffers between others take nothing, whatever their address. [POSIX: readv]
#include "wasi.h"

void test(void) {
    char a[2], b[3];
    iovec iovs[] = {{0, 0}, {a, 2}, {NOWHERE, 0}, {b, 3}, {0, 0}};
    u32 nread;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_read(file, iovs, 5, &nread));
    holds(nread == 5 && same(a, "he", 2) && same(b, "llo", 3));
}
