// fd_seek, fd_filestat_get, clock_time_get: a result's pointer need not be aligned. [ours]
#include "wasi.h"

void test(void) {
    u8 at[80];
    u64 offset;
    fd file = opened("text.txt", 0);
    for (u32 i = 1; i < 8; i++) {
        expect(SUCCESS, fd_seek(file, 5, SET, (void *)(at + i)));
        __builtin_memcpy(&offset, at + i, 8);
        holds(offset == 5);
        expect(SUCCESS, fd_filestat_get(file, (void *)(at + i)));
        __builtin_memcpy(&offset, at + i + 32, 8);
        holds(offset == 13);
        expect(SUCCESS, clock_time_get(MONOTONIC, 1, (void *)(at + i)));
    }
}
