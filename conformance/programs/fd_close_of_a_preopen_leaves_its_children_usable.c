// fd_close: what was opened below a preopen outlives it. [official: close_preopen]
#include "wasi.h"

void test(void) {
    char buf[5];
    fd directory = opened_directory("sub"), file;
    expect(SUCCESS, fd_close(ROOT));
    prestat stat;
    expect(BADF, fd_prestat_get(ROOT, &stat));
    expect(SUCCESS, path_open(directory, 0, PATH("inside.txt"), 0, FD_READ, 0, 0, &file));
    holds(read_up_to(file, buf, 5) == 5 && same(buf, "insid", 5));
}
