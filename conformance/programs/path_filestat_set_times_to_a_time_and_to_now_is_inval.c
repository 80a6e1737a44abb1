// path_filestat_set_times: a time both given and now; nothing is changed. [official: fstflags_validate]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 1000 * SECOND,
                                            2000 * SECOND, ATIM | MTIM));
    expect(INVAL, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 3, 4, ATIM | ATIM_NOW | MTIM));
    expect(INVAL, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 3, 4, ATIM | MTIM | MTIM_NOW));
    filestat stat = stat_of("text.txt");
    holds(stat.atim == 1000 * SECOND && stat.mtim == 2000 * SECOND);
}
