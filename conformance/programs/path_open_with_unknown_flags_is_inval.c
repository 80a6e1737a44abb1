// path_open: open flags, descriptor flags and lookup flags that are none. [ours]
#include "wasi.h"

void test(void) {
    fd file;
    expect(INVAL, path_open(ROOT, 0, PATH("text.txt"), 1 << 4, FD_READ, 0, 0, &file));
    expect(INVAL, path_open(ROOT, 0, PATH("text.txt"), 0, FD_READ, 0, 1 << 5, &file));
    expect(INVAL, path_open(ROOT, 2, PATH("text.txt"), 0, FD_READ, 0, 0, &file));
}
