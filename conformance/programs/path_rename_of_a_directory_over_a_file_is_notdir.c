// path_rename: a file is never replaced by a directory. [POSIX: rename]
#include "wasi.h"

void test(void) {
    expect(NOTDIR, path_rename(ROOT, PATH("sub"), ROOT, PATH("text.txt")));
    expect_content("text.txt", "hello, world\n");
}
