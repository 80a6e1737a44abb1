// path_readlink: the target as it was written, without a NUL. [POSIX: readlink]
#include "wasi.h"

void test(void) {
    char buf[16];
    u32 n;
    make_symlink("no//./where", "link");
    fill(buf, 0xAA, 16);
    expect(SUCCESS, path_readlink(ROOT, PATH("link"), buf, 16, &n));
    holds(n == 11 && same(buf, "no//./where", 11) && filled(buf + 11, 0xAA, 5));
}
