// path_rename: slashes behind a directory's old and new name. [official: path_rename_dir_trailing_slashes]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, path_rename(ROOT, PATH("sub/"), ROOT, PATH("a")));
    expect(SUCCESS, path_rename(ROOT, PATH("a"), ROOT, PATH("b/")));
    expect(SUCCESS, path_rename(ROOT, PATH("b/"), ROOT, PATH("sub/")));
    expect_content("sub/inside.txt", "inside\n");
}
