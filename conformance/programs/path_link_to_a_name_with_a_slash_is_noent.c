// path_link: a file's new name with a slash asks for a directory that is not there. [official: path_link]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("new/")));
    expect_missing("new");
}
