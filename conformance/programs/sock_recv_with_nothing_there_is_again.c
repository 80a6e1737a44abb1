// sock_recv, fd_read: with NONBLOCK nothing to read is AGAIN, and no end. [POSIX: recv, EAGAIN]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 n;
    u16 flags;
    expect(SUCCESS, fd_fdstat_set_flags(3, NONBLOCK));
    expect(AGAIN, sock_recv(3, &iov, 1, 0, &n, &flags));
    expect(AGAIN, fd_read(3, &iov, 1, &n));
    send_text(4, "now");
    holds(receive(3, buf, 8) == 3);
}
