// path_unlink_file: a slash asks for a directory: ISDIR for one, NOTDIR for a file. [official: unlink_file_trailing_slashes]
#include "wasi.h"

void test(void) {
    expect_either(ISDIR, PERM, path_unlink_file(ROOT, PATH("sub/")));
    expect(NOTDIR, path_unlink_file(ROOT, PATH("text.txt/")));
    expect_content("text.txt", "hello, world\n");
}
