// path_rename: two names of one file: success, and both stay. [POSIX: rename]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("other")));
    expect(SUCCESS, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("other")));
    expect(SUCCESS, path_rename(ROOT, PATH("other"), ROOT, PATH("other")));
    expect_content("text.txt", "hello, world\n");
    expect_content("other", "hello, world\n");
}
