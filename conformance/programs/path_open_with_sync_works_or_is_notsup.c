// path_open: DSYNC, RSYNC and SYNC each work and are shown, or are NOTSUP. [official: fd_flags_set]
#include "wasi.h"

void test(void) {
    u32 flags[] = {DSYNC, RSYNC, SYNC};
    for (u32 i = 0; i < 3; i++) {
        fd file;
        fdstat stat;
        u32 answer = path_open(ROOT, 0, PATH("text.txt"), 0, FILE_RIGHTS, 0, flags[i], &file);
        if (answer == NOTSUP) continue;
        expect(SUCCESS, answer);
        expect(SUCCESS, fd_fdstat_get(file, &stat));
        holds(stat.flags & (flags[i] | SYNC));
        write_text(file, "J");
    }
}
