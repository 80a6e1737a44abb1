// path_filestat_get: no name at all, not even the directory's own. [POSIX: fstatat]
#include "wasi.h"

void test(void) {
    filestat stat;
    expect(NOENT, path_filestat_get(ROOT, 0, PATH(""), &stat));
    expect(SUCCESS, path_filestat_get(ROOT, 0, PATH("."), &stat));
    holds(stat.filetype == DIRECTORY_TYPE);
}
