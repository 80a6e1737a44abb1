// path_filestat_set_times: with SYMLINK_FOLLOW the target's times, without it the link's. [POSIX: utimensat]
#include "wasi.h"

void test(void) {
    make_symlink("text.txt", "link");
    expect(SUCCESS, path_filestat_set_times(ROOT, FOLLOW, PATH("link"), 1000 * SECOND,
                                            2000 * SECOND, ATIM | MTIM));
    holds(stat_of("text.txt").mtim == 2000 * SECOND && stat_of("link").mtim != 2000 * SECOND);
    expect(SUCCESS, path_filestat_set_times(ROOT, NOFOLLOW, PATH("link"), 3000 * SECOND,
                                            4000 * SECOND, ATIM | MTIM));
    holds(stat_of("text.txt").mtim == 2000 * SECOND && stat_of("link").mtim == 4000 * SECOND);
}
