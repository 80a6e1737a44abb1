// path_open: a component may have 255 bytes and no more. [POSIX: NAME_MAX]
#include "wasi.h"

void test(void) {
    char name[256];
    fd file;
    fill(name, 'x', 256);
    expect(SUCCESS, path_open(ROOT, 0, name, 255, CREAT | EXCL, FILE_RIGHTS, 0, 0, &file));
    expect(NAMETOOLONG, path_open(ROOT, 0, name, 256, CREAT | EXCL, FILE_RIGHTS, 0, 0, &file));
}
