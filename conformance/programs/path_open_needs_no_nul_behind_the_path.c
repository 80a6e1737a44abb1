// path_open: the length alone ends a path, at the last byte of memory too. [spec: string]
#include "wasi.h"

void test(void) {
    fd file;
    char *path = MEMORY_END - 8;
    __builtin_memcpy(path, "text.txt", 8);
    expect(SUCCESS, path_open(ROOT, 0, path, 8, 0, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(ROOT, 0, path, 7, 0, FD_READ, 0, 0, &file));
}
