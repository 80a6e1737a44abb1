// sock_recv: each datagram comes by itself; one larger than the buffer is cut, and the flag says so. [spec: roflags]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    u32 n;
    u16 flags;
    send_text(3, "abcdef");
    send_text(3, "xy");
    expect(SUCCESS, sock_recv(4, &iov, 1, 0, &n, &flags));
    holds(n == 4 && flags == DATA_TRUNCATED && same(buf, "abcd", 4));
    expect(SUCCESS, sock_recv(4, &iov, 1, 0, &n, &flags));
    holds(n == 2 && flags == 0 && same(buf, "xy", 2));
}
