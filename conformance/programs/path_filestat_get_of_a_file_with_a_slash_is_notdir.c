// path_filestat_get: a slash at the end asks for a directory. [POSIX: pathname resolution]
#include "wasi.h"

void test(void) {
    filestat stat;
    expect(NOTDIR, path_filestat_get(ROOT, 0, PATH("text.txt/"), &stat));
    expect(NOTDIR, path_filestat_get(ROOT, 0, PATH("text.txt/."), &stat));
    expect(SUCCESS, path_filestat_get(ROOT, 0, PATH("sub/"), &stat));
}
