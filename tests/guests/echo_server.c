/* Serves two clients on the listening socket it was given, then ends.

   echo_server one     a client after the other, waiting in accept and recv
   echo_server poll    both at once, waiting in poll only

   It answers with what a client sends, each time in upper case, until the client sends no more;
   then it says goodbye, shuts the connection down and closes it. It prints what it sees. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLIENTS = 2, FIRST_FD = 3, LAST_FD = 64 };

static int fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

/* The listener comes after all directories. */
static int find_listener(void)
{
    struct stat status;
    for (int fd = FIRST_FD; fd < LAST_FD && fstat(fd, &status) == 0; fd++)
        if (S_ISSOCK(status.st_mode))
            return fd;
    errno = ENOTSOCK;
    return -1;
}

static int accept_client(int listener, int flags)
{
    struct sockaddr address;
    socklen_t size = sizeof address;
    return accept4(listener, &address, &size, flags);
}

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, 0);
        if (sent < 0)
            return -1;
        data += sent;
        size -= sent;
    }
    return 0;
}

/* One piece from a client and back: 1 if there was one, 0 at its end, -1 with errno. */
static int answer(int fd)
{
    char piece[256];
    ssize_t size = recv(fd, piece, sizeof piece, 0);
    if (size <= 0)
        return size;
    for (ssize_t at = 0; at < size; at++)
        piece[at] = toupper((unsigned char)piece[at]);
    return send_all(fd, piece, size) < 0 ? -1 : 1;
}

static int part(int fd, int number)
{
    static const char bye[] = "goodbye\n";
    if (send_all(fd, bye, sizeof bye - 1) < 0)
        return fail("send");
    if (shutdown(fd, SHUT_RDWR) < 0)
        return fail("shutdown");
    if (close(fd) < 0)
        return fail("close");
    printf("client %d served\n", number);
    return 0;
}

static int one_at_a_time(int listener)
{
    for (int number = 1; number <= CLIENTS; number++) {
        int fd = accept_client(listener, 0);
        if (fd < 0)
            return fail("accept");
        int more;
        while ((more = answer(fd)) > 0)
            ;
        if (more < 0)
            return fail("client");
        if (part(fd, number))
            return 1;
    }
    return 0;
}

static int through_poll(int listener)
{
    struct pollfd watched[1 + CLIENTS] = {{.fd = listener, .events = POLLRDNORM}};
    int accepted = 0, served = 0;
    if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0)
        return fail("fcntl");
    for (int at = 1; at <= CLIENTS; at++)
        watched[at].fd = -1;
    while (served < CLIENTS) {
        struct pollfd ready[1 + CLIENTS];
        nfds_t count = 0;
        for (int at = accepted == CLIENTS; at <= CLIENTS; at++)
            if (watched[at].fd >= 0)
                ready[count++] = watched[at];
        if (poll(ready, count, -1) < 0)
            return fail("poll");
        for (nfds_t at = 0; at < count; at++) {
            int fd = ready[at].fd;
            if (!(ready[at].revents & (POLLRDNORM | POLLHUP)))
                continue;
            if (fd == listener) {
                int client = -1;
                while (accepted < CLIENTS
                       && (client = accept_client(listener, SOCK_NONBLOCK)) >= 0) {
                    accepted++;
                    watched[accepted] = (struct pollfd){.fd = client, .events = POLLRDNORM};
                }
                if (client < 0 && errno != EAGAIN)
                    return fail("accept");
                continue;
            }
            int place = watched[1].fd == fd ? 1 : 2;
            int more = answer(fd);
            if (more < 0)
                return fail("client");
            if (more == 0) {
                if (part(fd, place))
                    return 1;
                watched[place].fd = -1;
                served++;
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    int listener = find_listener();
    if (listener < 0)
        return fail("no listener");
    printf("listening on %d\n", listener);
    if (argc == 2 && strcmp(argv[1], "one") == 0)
        return one_at_a_time(listener);
    if (argc == 2 && strcmp(argv[1], "poll") == 0)
        return through_poll(listener);
    puts("usage: echo_server one | poll");
    return 2;
}
