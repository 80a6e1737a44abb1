// path_open: one directory's descriptor never leads into another. [spec: sandbox]
#include "wasi.h"

void test(void) {
    fd file;
    expect(SUCCESS, path_open(4, 0, PATH("mount.txt"), 0, FD_READ, 0, 0, &file));
    expect_either(PERM, NOTCAPABLE, path_open(4, 0, PATH("../text.txt"), 0, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(4, 0, PATH("text.txt"), 0, FD_READ, 0, 0, &file));
}
