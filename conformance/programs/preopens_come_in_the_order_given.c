// fd_prestat_get, fd_prestat_dir_name: several directories, numbered from 3, each with its name. [spec: preopens]
#include "wasi.h"

void test(void) {
    const char *names[] = {"/", "/data", "/tmp"};
    prestat stat;
    char name[16];
    for (u32 i = 0; i < 3; i++) {
        expect(SUCCESS, fd_prestat_get(3 + i, &stat));
        holds(stat.name_len == length(names[i]));
        expect(SUCCESS, fd_prestat_dir_name(3 + i, name, stat.name_len));
        holds(same(name, names[i], stat.name_len));
    }
    expect(BADF, fd_prestat_get(6, &stat));
}
