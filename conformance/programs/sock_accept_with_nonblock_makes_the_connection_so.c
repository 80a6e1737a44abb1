// sock_accept: with NONBLOCK the new descriptor has that flag: nothing to read is AGAIN. [POSIX: accept4 SOCK_NONBLOCK]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 n;
    u16 flags;
    fd connection;
    fdstat stat;
    expect(SUCCESS, sock_accept(3, NONBLOCK, &connection));
    expect(SUCCESS, fd_fdstat_get(connection, &stat));
    holds(stat.flags == NONBLOCK);
    expect(AGAIN, sock_recv(connection, &iov, 1, 0, &n, &flags));
}
