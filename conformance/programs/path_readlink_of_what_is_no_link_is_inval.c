// path_readlink: a file and a directory; a missing name is NOENT. [POSIX: readlink]
#include "wasi.h"

void test(void) {
    char buf[8];
    u32 n;
    expect(INVAL, path_readlink(ROOT, PATH("text.txt"), buf, 8, &n));
    expect(INVAL, path_readlink(ROOT, PATH("sub"), buf, 8, &n));
    expect(NOENT, path_readlink(ROOT, PATH("no"), buf, 8, &n));
}
