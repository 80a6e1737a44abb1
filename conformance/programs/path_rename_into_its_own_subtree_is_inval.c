// path_rename: a directory cannot be moved below itself. [POSIX: rename]
#include "wasi.h"

void test(void) {
    make_directory("sub/deep");
    expect(INVAL, path_rename(ROOT, PATH("sub"), ROOT, PATH("sub/new")));
    expect(INVAL, path_rename(ROOT, PATH("sub"), ROOT, PATH("sub/deep/new")));
    expect_content("sub/inside.txt", "inside\n");
}
