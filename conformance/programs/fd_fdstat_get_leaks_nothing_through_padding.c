// fd_fdstat_get: padding bytes are zero or untouched, bytes behind the record untouched. [ours]
#include "wasi.h"

void test(void) {
    u8 at[32];
    for (u32 round = 0; round < 2; round++) {
        u8 pattern = round ? 0x55 : 0xAA;
        fill(at, pattern, sizeof at);
        expect(SUCCESS, fd_fdstat_get(ROOT, (fdstat *)at));
        holds(filled(at + 1, pattern, 1) || filled(at + 1, 0, 1));
        holds(filled(at + 4, pattern, 4) || filled(at + 4, 0, 4));
        holds(filled(at + 24, pattern, 8));
    }
}
