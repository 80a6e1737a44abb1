// sock_recv: bits that are none; nothing is taken. [ours]
#include "wasi.h"

void test(void) {
    char buf[8];
    iovec iov = {buf, 8};
    u32 n;
    u16 flags;
    send_text(4, "abc");
    expect(INVAL, sock_recv(3, &iov, 1, 4, &n, &flags));
    holds(receive(3, buf, 8) == 3);
}
