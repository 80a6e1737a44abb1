// random_get: all of a buffer, and no byte around it. [spec: random_get]
#include "wasi.h"

void test(void) {
    u8 buf[96];
    u32 changed = 0;
    for (u32 round = 0; round < 16; round++) {
        fill(buf, 0xAA, 96);
        expect(SUCCESS, random_get(buf + 16, 64));
        holds(filled(buf, 0xAA, 16) && filled(buf + 80, 0xAA, 16));
        changed |= (buf[16] != 0xAA) | (buf[79] != 0xAA) << 1;
    }
    holds(changed == 3);
}
