// path_remove_directory, path_rename: a mount point is neither removed nor renamed. [ours; POSIX: rmdir, rename, EBUSY]
#include "wasi.h"

void test(void) {
    expect(BUSY, path_remove_directory(ROOT, PATH("sub/m")));
    expect(BUSY, path_rename(ROOT, PATH("sub/m"), ROOT, PATH("new")));
    opened("sub/m/mount.txt", 0);
}
