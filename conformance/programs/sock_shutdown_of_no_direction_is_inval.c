// sock_shutdown: neither direction, or bits that are none; the connection stays. [POSIX: shutdown]
#include "wasi.h"

void test(void) {
    char buf[8];
    expect(INVAL, sock_shutdown(3, 0));
    expect(INVAL, sock_shutdown(3, 4));
    send_text(3, "abc");
    holds(receive(4, buf, 8) == 3);
}
