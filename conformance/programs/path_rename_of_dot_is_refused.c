// path_rename: a path that ends in dot, on either side. [POSIX: rename, INVAL or BUSY]
#include "wasi.h"

void test(void) {
    make_directory("d");
    expect_either(INVAL, BUSY, path_rename(ROOT, PATH("d/."), ROOT, PATH("new")));
    expect_either(INVAL, BUSY, path_rename(ROOT, PATH("d"), ROOT, PATH(".")));
    expect_missing("new");
    holds(stat_of("d").filetype == DIRECTORY_TYPE);
}
