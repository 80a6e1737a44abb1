// fd_prestat_get, fd_prestat_dir_name: the length without a NUL, and the name. [spec: prestat_dir]
#include "wasi.h"

void test(void) {
    prestat stat;
    char name[8];
    expect(SUCCESS, fd_prestat_get(ROOT, &stat));
    holds(stat.tag == 0 && stat.name_len == 1);
    expect(SUCCESS, fd_prestat_dir_name(ROOT, name, 1));
    holds(name[0] == '/');
}
