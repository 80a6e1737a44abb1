// path_rename: a slash asks for a directory, on either side. [POSIX: rename, pathname resolution]
#include "wasi.h"

void test(void) {
    expect(NOTDIR, path_rename(ROOT, PATH("text.txt/"), ROOT, PATH("new")));
    expect(NOTDIR, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("new/")));
    expect_content("text.txt", "hello, world\n");
}
