// path_link: both names are one file, and either may go. [POSIX: link]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("sub/other")));
    holds(stat_of("text.txt").ino == stat_of("sub/other").ino && stat_of("sub/other").nlink == 2);
    expect(SUCCESS, path_unlink_file(ROOT, PATH("text.txt")));
    expect_content("sub/other", "hello, world\n");
}
