// path_link: the new name is taken, also by the file itself. [POSIX: link]
#include "wasi.h"

void test(void) {
    expect(EXIST, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("sub/inside.txt")));
    expect(EXIST, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("text.txt")));
    expect_content("sub/inside.txt", "inside\n");
}
