// sock_send, fd_write: the other end was shut down in both directions. [POSIX: send, EPIPE]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    u32 n;
    expect(SUCCESS, sock_shutdown(4, RD | WR));
    expect(PIPE, sock_send(3, &iov, 1, 0, &n));
    expect(PIPE, fd_write(3, &iov, 1, &n));
}
