// sock_accept: the new descriptor is a stream socket, the other end of who has connected. [POSIX: accept]
#include "wasi.h"

void test(void) {
    char buf[8];
    fd connection;
    fdstat stat;
    expect(SUCCESS, sock_accept(3, 0, &connection));
    expect(SUCCESS, fd_fdstat_get(connection, &stat));
    holds(stat.filetype == SOCKET_STREAM && stat.flags == 0);
    send_text(4, "ping");
    holds(receive(connection, buf, 8) == 4 && same(buf, "ping", 4));
    send_text(connection, "pong");
    holds(receive(4, buf, 8) == 4 && same(buf, "pong", 4));
}
