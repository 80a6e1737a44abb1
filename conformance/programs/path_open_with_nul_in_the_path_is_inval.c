// path_open: a NUL ends no path, and no file beside it is opened. [official: interesting_paths; ours: INVAL]
#include "wasi.h"

void test(void) {
    fd file;
    expect_either(INVAL, ILSEQ, path_open(ROOT, 0, PATH("text.txt\0"), 0, FD_READ, 0, 0, &file));
    expect_either(INVAL, ILSEQ, path_open(ROOT, 0, PATH("text.txt\0x"), 0, FD_READ, 0, 0, &file));
}
