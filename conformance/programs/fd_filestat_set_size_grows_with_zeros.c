// fd_filestat_set_size: a longer size appends zeros. [POSIX: ftruncate]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "abc");
    expect(SUCCESS, fd_filestat_set_size(file, 6));
    expect_bytes("new", "abc\0\0\0", 6);
}
