// path_unlink_file: a file and a link go; what the link names stays. [POSIX: unlink]
#include "wasi.h"

void test(void) {
    make_symlink("text.txt", "link");
    expect(SUCCESS, path_unlink_file(ROOT, PATH("link")));
    expect_missing("link");
    expect_content("text.txt", "hello, world\n");
    expect(SUCCESS, path_unlink_file(ROOT, PATH("text.txt")));
    expect_missing("text.txt");
    expect(NOENT, path_unlink_file(ROOT, PATH("text.txt")));
}
