// fd_renumber: what was written to standard output goes to the file from then on. [POSIX: dup2]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    write_text(STDOUT, "before\n");
    expect(SUCCESS, fd_renumber(file, STDOUT));
    write_text(STDOUT, "after\n");
    expect_content("new", "after\n");
}
