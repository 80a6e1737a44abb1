// fd_write: with APPEND each write goes to the end as it is then. [POSIX: write, O_APPEND]
#include "wasi.h"

void test(void) {
    fd one = opened_with("new", CREAT | EXCL, FILE_RIGHTS, APPEND);
    fd other = opened_with("new", 0, FILE_RIGHTS, APPEND);
    write_text(one, "a");
    write_text(other, "b");
    write_text(one, "c");
    expect_content("new", "abc");
}
