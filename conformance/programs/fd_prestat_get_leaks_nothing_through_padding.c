// fd_prestat_get: padding bytes are zero or untouched, bytes behind the record untouched. [ours]
#include "wasi.h"

void test(void) {
    u8 at[16];
    for (u32 round = 0; round < 2; round++) {
        u8 pattern = round ? 0x55 : 0xAA;
        fill(at, pattern, sizeof at);
        expect(SUCCESS, fd_prestat_get(ROOT, (prestat *)at));
        holds(filled(at + 1, pattern, 3) || filled(at + 1, 0, 3));
        holds(filled(at + 8, pattern, 8));
    }
}
