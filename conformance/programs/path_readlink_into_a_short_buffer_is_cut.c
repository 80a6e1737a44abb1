// path_readlink: what does not fit is left out; the count is what was written. [official: readlink]
#include "wasi.h"

void test(void) {
    char buf[8];
    u32 n;
    make_symlink("nowhere", "link");
    fill(buf, 0xAA, 8);
    expect(SUCCESS, path_readlink(ROOT, PATH("link"), buf, 4, &n));
    holds(n == 4 && same(buf, "nowh", 4) && filled(buf + 4, 0xAA, 4));
}
