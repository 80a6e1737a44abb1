// fd_seek: the position may be beyond the end, and a write there leaves zeros between. [POSIX: lseek]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "a");
    expect(SUCCESS, fd_seek(file, 3, END, &at));
    holds(at == 4 && stat_of("new").size == 1);
    write_text(file, "z");
    expect_bytes("new", "a\0\0\0z", 5);
}
