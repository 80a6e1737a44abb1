// path_remove_directory: an empty directory goes, with a trailing slash too. [POSIX: rmdir; official: remove_directory_trailing_slashes]
#include "wasi.h"

void test(void) {
    make_directory("d");
    make_directory("e");
    expect(SUCCESS, path_remove_directory(ROOT, PATH("d")));
    expect(SUCCESS, path_remove_directory(ROOT, PATH("e/")));
    expect_missing("d");
    expect_missing("e");
}
