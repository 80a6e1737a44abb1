// path_rename: an empty directory is replaced, a full one is NOTEMPTY. [POSIX: rename]
#include "wasi.h"

void test(void) {
    make_directory("empty");
    make_directory("other");
    make_file("other/x", "");
    expect_either(NOTEMPTY, EXIST, path_rename(ROOT, PATH("sub"), ROOT, PATH("other")));
    expect(SUCCESS, path_rename(ROOT, PATH("sub"), ROOT, PATH("empty")));
    expect_content("empty/inside.txt", "inside\n");
    expect_missing("sub");
}
