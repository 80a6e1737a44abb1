// fd_pread: what has no position; nothing is taken. [POSIX: pread, SPIPE; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    char buf[4];
    iovec iov = {buf, 4};
    u32 n;
    send_text(4, "abc");
    expect_either(SPIPE, NOTCAPABLE, fd_pread(3, &iov, 1, 0, &n));
    holds(receive(3, buf, 4) == 3);
}
