// poll_oneoff: an event type that is none. [ours]
#include "wasi.h"

void test(void) {
    subscription in = {1, 3, .rw = {STDOUT}};
    event out;
    u32 n;
    expect(INVAL, poll_oneoff(&in, &out, 1, &n));
}
