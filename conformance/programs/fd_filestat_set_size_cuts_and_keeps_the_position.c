// fd_filestat_set_size: a shorter size cuts; the position stays, and the next write leaves a hole. [POSIX: ftruncate]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "abcdef");
    expect(SUCCESS, fd_filestat_set_size(file, 2));
    holds(position(file) == 6);
    write_text(file, "Z");
    expect_bytes("new", "ab\0\0\0\0Z", 7);
}
