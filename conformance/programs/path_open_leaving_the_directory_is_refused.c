// path_open: dot-dot never leads out, whatever stands before it. [official: interesting_paths]
#include "wasi.h"

void test(void) {
    fd file;
    const char *paths[] = {
        "..", "../", "../x", "sub/../..", "./..",
        "sub/../../x", "//..", "sub//..//..",
    };
    for (u32 i = 0; i < COUNT(paths); i++) {
        u32 answer = path_open(ROOT, FOLLOW, paths[i], length(paths[i]), 0, FD_READ, 0, 0, &file);
        expect_either(PERM, NOTCAPABLE, answer);
    }
}
