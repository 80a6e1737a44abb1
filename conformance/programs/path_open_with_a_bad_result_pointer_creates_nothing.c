// path_open: the result's pointer is looked at before a file is made. [ours]
#include "wasi.h"

void test(void) {
    expect(FAULT, path_open(ROOT, 0, PATH("new"), CREAT, FILE_RIGHTS, 0, 0, NOWHERE));
    expect_missing("new");
}
