// sock_send: an end that was shut down for writing sends no more, and nobody dies of it. [POSIX: send, EPIPE]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    u32 n;
    expect(SUCCESS, sock_shutdown(3, WR));
    expect(PIPE, sock_send(3, &iov, 1, 0, &n));
}
