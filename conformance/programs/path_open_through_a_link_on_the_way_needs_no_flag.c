// path_open: SYMLINK_FOLLOW is about the last component only. [POSIX: O_NOFOLLOW]
#include "wasi.h"

void test(void) {
    make_symlink("sub", "way");
    opened("way/inside.txt", 0);
}
