// poll_oneoff: INVAL for the call or in the event. [spec: event error]
#include "wasi.h"

void test(void) {
    subscription in = clock_after(1, 99, MILLISECOND, 0);
    event out;
    u32 n;
    u32 answer = poll_oneoff(&in, &out, 1, &n);
    if (answer == INVAL) return;
    expect(SUCCESS, answer);
    holds(n == 1 && out.error == INVAL);
}
