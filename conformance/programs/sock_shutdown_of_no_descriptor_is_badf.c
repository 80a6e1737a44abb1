// sock_shutdown, sock_recv, sock_send, sock_accept: a number that is no descriptor. [official: sock_shutdown-invalid_fd]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    ciovec ciov = {buf, 4};
    u32 n;
    u16 flags;
    fd other;
    expect(BADF, sock_shutdown(99, RD));
    expect(BADF, sock_recv(99, &iov, 1, 0, &n, &flags));
    expect(BADF, sock_send(99, &ciov, 1, 0, &n));
    expect(BADF, sock_accept(99, 0, &other));
}
