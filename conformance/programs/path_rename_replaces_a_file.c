// path_rename: the old file under the new name is gone, the source's name too. [POSIX: rename]
#include "wasi.h"

void test(void) {
    make_file("new", "new");
    expect(SUCCESS, path_rename(ROOT, PATH("new"), ROOT, PATH("text.txt")));
    expect_content("text.txt", "new");
    expect_missing("new");
}
