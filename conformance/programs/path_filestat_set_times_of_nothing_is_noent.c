// path_filestat_set_times: a name that is not there. [POSIX: utimensat]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_filestat_set_times(ROOT, 0, PATH("no"), 1, 2, ATIM | MTIM));
}
