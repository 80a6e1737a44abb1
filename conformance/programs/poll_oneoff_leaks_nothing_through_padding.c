// poll_oneoff: padding bytes are zero or untouched, events beyond the count untouched. [ours]
#include "wasi.h"

void test(void) {
    subscription in = ready_for(1, FD_WRITE_EVENT, STDOUT);
    for (u32 round = 0; round < 2; round++) {
        u8 at[64], pattern = round ? 0x55 : 0xAA;
        fill(at, pattern, sizeof at);
        holds(poll(&in, (event *)at, 1) == 1);
        holds(filled(at + 11, pattern, 5) || filled(at + 11, 0, 5));
        holds(filled(at + 26, pattern, 6) || filled(at + 26, 0, 6));
        holds(filled(at + 32, pattern, 32));
    }
}
