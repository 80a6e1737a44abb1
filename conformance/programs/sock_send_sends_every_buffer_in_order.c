// sock_send: all buffers go out, not just the first. [POSIX: sendmsg]
#include "wasi.h"

void test(void) {
    char buf[16];
    ciovec iovs[] = {{"ab", 2}, {0, 0}, {"cde", 3}};
    u32 n;
    expect(SUCCESS, sock_send(3, iovs, 3, 0, &n));
    holds(n == 5 && receive(4, buf, 16) == 5 && same(buf, "abcde", 5));
}
