// poll_oneoff: a descriptor that lost POLL_FD_READWRITE. [spec: rights poll_fd_readwrite]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_set_rights(file, FILE_RIGHTS & ~POLL_FD_READWRITE, 0));
    subscription in = ready_for(1, FD_READ_EVENT, file);
    event out;
    u32 n;
    expect(NOTCAPABLE, poll_oneoff(&in, &out, 1, &n));
}
