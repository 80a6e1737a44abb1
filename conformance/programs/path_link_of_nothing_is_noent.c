// path_link: the source is not there. [POSIX: link]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_link(ROOT, 0, PATH("no"), ROOT, PATH("other")));
    expect_missing("other");
}
