// sock_recv: WAITALL fills the buffer from several sends. [POSIX: recv MSG_WAITALL]
#include "wasi.h"

void test(void) {
    char buf[8];
    send_text(3, "abc");
    send_text(3, "defgh");
    holds(receive_(HERE, 4, buf, 8, WAITALL) == 8 && same(buf, "abcdefgh", 8));
}
