// sock_recv: all buffers are filled, not just the first. [POSIX: recvmsg]
#include "wasi.h"

void test(void) {
    char a[2], b[3];
    iovec iovs[] = {{a, 2}, {0, 0}, {b, 3}};
    u32 n;
    u16 flags = 0xffff;
    send_text(3, "abcdef");
    expect(SUCCESS, sock_recv(4, iovs, 3, 0, &n, &flags));
    holds(n == 5 && flags == 0 && same(a, "ab", 2) && same(b, "cde", 3));
}
