// fd_seek: with FD_TELL alone it answers where the position is, and moves nothing. [spec: rights fd_tell]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_set_rights(file, FD_READ | FD_TELL, 0));
    expect(NOTCAPABLE, fd_seek(file, 1, SET, &at));
    expect(SUCCESS, fd_seek(file, 0, CUR, &at));
    holds(at == 0);
}
