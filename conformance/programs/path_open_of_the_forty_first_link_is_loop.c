// path_open: 40 links one after the other are followed, 41 are not. [ours: as Linux; POSIX: SYMLOOP_MAX, at least 8]
#include "wasi.h"

void test(void) {
    char link[] = "l00", target[] = "l00";
    fd file;
    make_symlink("text.txt", "l01");
    for (u32 i = 2; i <= 41; i++) {
        link[1] = '0' + i / 10, link[2] = '0' + i % 10;
        target[1] = '0' + (i - 1) / 10, target[2] = '0' + (i - 1) % 10;
        expect(SUCCESS, path_symlink(target, 3, ROOT, link, 3));
    }
    expect(SUCCESS, path_open(ROOT, FOLLOW, PATH("l40"), 0, FD_READ, 0, 0, &file));
    expect(LOOP, path_open(ROOT, FOLLOW, PATH("l41"), 0, FD_READ, 0, 0, &file));
}
