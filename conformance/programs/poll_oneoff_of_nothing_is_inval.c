// poll_oneoff: no subscriptions. [spec: poll_oneoff, INVAL]
#include "wasi.h"

void test(void) {
    event out[1];
    subscription in[1];
    u32 n;
    expect(INVAL, poll_oneoff(in, out, 0, &n));
}
