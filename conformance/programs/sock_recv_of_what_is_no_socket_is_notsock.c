// sock_shutdown, sock_recv, sock_send, sock_accept: a file and a directory. [official: sock_shutdown-not_sock; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    ciovec ciov = {buf, 4};
    u32 n;
    u16 flags;
    fd other;
    fd files[] = {opened("text.txt", 0), ROOT};
    for (u32 i = 0; i < 2; i++) {
        expect_either(NOTSOCK, NOTCAPABLE, sock_shutdown(files[i], RD));
        expect_either(NOTSOCK, NOTCAPABLE, sock_recv(files[i], &iov, 1, 0, &n, &flags));
        expect_either(NOTSOCK, NOTCAPABLE, sock_send(files[i], &ciov, 1, 0, &n));
        expect_either(NOTSOCK, NOTCAPABLE, sock_accept(files[i], 0, &other));
    }
}
