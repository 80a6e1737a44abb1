// sock_recv, sock_shutdown: what was sent before still comes, then 0 bytes. [POSIX: shutdown]
#include "wasi.h"

void test(void) {
    char buf[8];
    send_text(3, "bye");
    expect(SUCCESS, sock_shutdown(3, WR));
    holds(receive(4, buf, 8) == 3 && same(buf, "bye", 3));
    holds(receive(4, buf, 8) == 0);
    send_text(4, "still");
    holds(receive(3, buf, 8) == 5);
}
