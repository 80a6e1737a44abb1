// path_rename: a source that is not there, an empty path on either side. [POSIX: rename]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_rename(ROOT, PATH("no"), ROOT, PATH("text.txt")));
    expect(NOENT, path_rename(ROOT, PATH(""), ROOT, PATH("new")));
    expect(NOENT, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("")));
    expect_content("text.txt", "hello, world\n");
}
