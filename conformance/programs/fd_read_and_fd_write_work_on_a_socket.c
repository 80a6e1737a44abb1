// fd_read, fd_write, fd_seek: a socket is read and written like a stream, and has no position. [POSIX: read, write, lseek]
#include "wasi.h"

void test(void) {
    char buf[8];
    u64 at;
    write_text(3, "abc");
    holds(read_up_to(4, buf, 8) == 3 && same(buf, "abc", 3));
    expect_either(SPIPE, NOTCAPABLE, fd_seek(3, 0, CUR, &at));
}
