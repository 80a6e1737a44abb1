// sock_recv: both results' pointers are looked at before anything is received. [ours]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 n;
    u16 flags;
    send_text(4, "abc");
    expect(FAULT, sock_recv(3, &iov, 1, 0, NOWHERE, &flags));
    expect(FAULT, sock_recv(3, &iov, 1, 0, &n, NOWHERE));
    holds(receive(3, buf, 8) == 3);
}
