// fd_read: no buffers, or only empty ones: 0 bytes, and the position stays. [POSIX: read, nbyte 0]
#include "wasi.h"

void test(void) {
    iovec iov = {0, 0};
    u32 nread = 9;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_read(file, &iov, 0, &nread));
    holds(nread == 0);
    nread = 9;
    expect(SUCCESS, fd_read(file, &iov, 1, &nread));
    holds(nread == 0 && position(file) == 0);
}
