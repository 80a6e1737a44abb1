// fd_filestat_get: padding bytes are zero or untouched, bytes behind the record untouched. [ours]
#include "wasi.h"

void test(void) {
    u8 at[80];
    for (u32 round = 0; round < 2; round++) {
        u8 pattern = round ? 0x55 : 0xAA;
        fill(at, pattern, sizeof at);
        expect(SUCCESS, fd_filestat_get(ROOT, (filestat *)at));
        holds(filled(at + 17, pattern, 7) || filled(at + 17, 0, 7));
        holds(filled(at + 64, pattern, 16));
    }
}
