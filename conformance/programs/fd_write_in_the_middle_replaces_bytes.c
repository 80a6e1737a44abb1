// fd_write: bytes at the position are replaced, the rest stays. [POSIX: write]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_seek(file, 7, SET, &at));
    write_text(file, "WASI!");
    expect_content("text.txt", "hello, WASI!\n");
}
