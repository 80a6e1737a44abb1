// path_remove_directory: what holds names stays. [official: remove_nonempty_directory]
#include "wasi.h"

void test(void) {
    expect(NOTEMPTY, path_remove_directory(ROOT, PATH("sub")));
    expect_content("sub/inside.txt", "inside\n");
}
