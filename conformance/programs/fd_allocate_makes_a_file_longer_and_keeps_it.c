// fd_allocate: a file is made as long as asked, with zeros; a host that cannot says NOTSUP. [official: file_allocate]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(file, "abc");
    u32 answer = fd_allocate(file, 0, 8);
    if (answer == NOTSUP) return;
    expect(SUCCESS, answer);
    expect_bytes("new", "abc\0\0\0\0\0", 8);
}
