// path_rename: a directory is never replaced by a file, be it empty. [POSIX: rename]
#include "wasi.h"

void test(void) {
    make_directory("d");
    expect(ISDIR, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("d")));
    expect_content("text.txt", "hello, world\n");
}
