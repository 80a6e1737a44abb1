// poll_oneoff: the other end is gone: ready, with the hangup flag. [spec: eventrwflags; POSIX: poll POLLHUP]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, sock_shutdown(4, RD | WR));
    subscription in[] = {ready_for(1, FD_READ_EVENT, 3), clock_after(2, MONOTONIC, 60 * SECOND, 0)};
    event out[2];
    holds(poll(in, out, 2) == 1 && out[0].userdata == 1 && (out[0].flags & HANGUP));
}
