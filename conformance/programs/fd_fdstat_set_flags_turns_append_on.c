// fd_fdstat_set_flags: with APPEND every write goes to the end. [official: fd_flags_set]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_set_flags(file, APPEND));
    write_text(file, "more");
    expect_content("text.txt", "hello, world\nmore");
}
