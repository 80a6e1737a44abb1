// path_rename: between directories given to the program: moved, or XDEV and nothing happened. [POSIX: rename, EXDEV]
#include "wasi.h"

void test(void) {
    filestat stat;
    u32 answer = path_rename(4, PATH("mount.txt"), ROOT, PATH("moved"));
    if (answer == XDEV) {
        expect_missing("moved");
        expect(SUCCESS, path_filestat_get(4, 0, PATH("mount.txt"), &stat));
        return;
    }
    expect(SUCCESS, answer);
    expect_content("moved", "mounted\n");
    expect(NOENT, path_filestat_get(4, 0, PATH("mount.txt"), &stat));
}
