// sock_recv, sock_send: bytes go from one end to the other, both ways. [POSIX: send, recv]
#include "wasi.h"

void test(void) {
    char buf[16];
    send_text(3, "ping");
    holds(receive(4, buf, 16) == 4 && same(buf, "ping", 4));
    send_text(4, "pong!");
    holds(receive(3, buf, 16) == 5 && same(buf, "pong!", 5));
}
