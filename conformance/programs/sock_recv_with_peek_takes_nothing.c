// sock_recv: PEEK shows what comes next and leaves it there. [POSIX: recv MSG_PEEK]
#include "wasi.h"

void test(void) {
    char buf[16];
    send_text(3, "ping");
    holds(receive_(HERE, 4, buf, 16, PEEK) == 4 && same(buf, "ping", 4));
    holds(receive(4, buf, 2) == 2 && same(buf, "pi", 2));
    holds(receive_(HERE, 4, buf, 16, PEEK) == 2 && same(buf, "ng", 2));
}
