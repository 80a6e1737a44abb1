// sock_accept: a listener with NONBLOCK, and nobody waits in its queue. [POSIX: accept, EAGAIN]
#include "wasi.h"

void test(void) {
    fd connection;
    expect(SUCCESS, fd_fdstat_set_flags(3, NONBLOCK));
    expect(SUCCESS, sock_accept(3, 0, &connection));
    expect(AGAIN, sock_accept(3, 0, &connection));
}
