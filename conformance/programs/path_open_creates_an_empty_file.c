// path_open: CREAT makes a file that is not there, and opens one that is. [POSIX: open]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT);
    holds(stat_of("new").size == 0 && stat_of("new").filetype == REGULAR_FILE);
    write_text(file, "abc");
    opened("new", CREAT);
    expect_content("new", "abc");
}
