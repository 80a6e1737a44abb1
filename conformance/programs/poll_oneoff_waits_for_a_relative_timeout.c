// poll_oneoff: it comes back no earlier than asked, with one event that says which. [spec: subscription_clock]
#include "wasi.h"

void test(void) {
    u64 start = now(MONOTONIC);
    subscription in = clock_after(0x1122334455667788, MONOTONIC, 20 * MILLISECOND, 0);
    event out;
    holds(poll(&in, &out, 1) == 1);
    holds(now(MONOTONIC) - start >= 20 * MILLISECOND);
    holds(out.userdata == 0x1122334455667788 && out.error == SUCCESS && out.type == CLOCK);
}
