// poll_oneoff: with ABSTIME the timeout is a time of that clock. [spec: subclockflags]
#include "wasi.h"

void test(void) {
    for (u32 id = REALTIME; id <= MONOTONIC; id++) {
        u64 deadline = now(id) + 20 * MILLISECOND;
        subscription in = clock_after(id, id, deadline, ABSTIME);
        event out;
        holds(poll(&in, &out, 1) == 1 && out.userdata == id && out.error == SUCCESS);
        holds(now(id) >= deadline);
    }
}
