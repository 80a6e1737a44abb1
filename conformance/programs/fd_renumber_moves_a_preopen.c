// fd_renumber: a preopened directory serves under its new number, and its old one is BADF. [official: renumber, overwrite_preopen]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd directory = opened_directory("sub");
    expect(SUCCESS, fd_renumber(ROOT, directory));
    expect(SUCCESS, path_filestat_get(directory, 0, PATH("text.txt"), &stat));
    expect(BADF, path_filestat_get(ROOT, 0, PATH("text.txt"), &stat));
}
