// path_filestat_get: lookup flags that are none. [ours]
#include "wasi.h"

void test(void) {
    filestat stat;
    expect(INVAL, path_filestat_get(ROOT, 2, PATH("text.txt"), &stat));
    expect(INVAL, path_filestat_get(ROOT, 1u << 31, PATH("text.txt"), &stat));
}
