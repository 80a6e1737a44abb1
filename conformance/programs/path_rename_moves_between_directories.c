// path_rename: source and target may be named from different descriptors. [POSIX: renameat]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub");
    expect(SUCCESS, path_rename(directory, PATH("inside.txt"), ROOT, PATH("moved.txt")));
    expect_content("moved.txt", "inside\n");
    expect_missing("sub/inside.txt");
}
