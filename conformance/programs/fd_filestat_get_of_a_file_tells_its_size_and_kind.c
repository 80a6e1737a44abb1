// fd_filestat_get: size, kind and number of links of a file. [POSIX: fstat]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.size == 13 && stat.filetype == REGULAR_FILE && stat.nlink == 1);
}
