// sock_recv: a socket that listens has nothing to read. [POSIX: recv, ENOTCONN]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 n;
    u16 flags;
    expect(NOTCONN, sock_recv(3, &iov, 1, 0, &n, &flags));
}
