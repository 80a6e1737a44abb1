// path_link: a directory has one name. [POSIX: link, PERM; official: path_link]
#include "wasi.h"

void test(void) {
    expect_either(PERM, ACCES, path_link(ROOT, 0, PATH("sub"), ROOT, PATH("other")));
    expect_missing("other");
}
