// fd_write: 0 bytes change no size, wherever the position is. [POSIX: write]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_seek(file, 100, SET, &at));
    write_text(file, "");
    holds(stat_of("text.txt").size == 13);
}
