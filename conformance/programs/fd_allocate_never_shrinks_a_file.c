// fd_allocate: a range inside the file changes nothing. [POSIX: posix_fallocate]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "abcdef");
    u32 answer = fd_allocate(file, 1, 2);
    if (answer == NOTSUP) return;
    expect(SUCCESS, answer);
    expect_content("new", "abcdef");
}
