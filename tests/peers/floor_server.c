/* The floor: the least that an HTTP server can do and still answer.
 *
 * A bare epoll loop that reads whatever comes and writes one canned answer for
 * each end of a header section. No parsing, no routes, no limits, no timeouts:
 * what server-epoll costs beyond this is what HTTP done properly costs. Used by
 * `make compare-peers` only. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
                             "Date: Fri, 20 Nov 2026 00:00:00 GMT\r\n\r\nHello, World!";

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static void serve(int fd)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            close(fd);
        return;
    }
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        close(fd);
}

int main(void)
{
    int on = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listening, (struct sockaddr *)&address, length) < 0 || listen(listening, 4096) < 0)
        return fail("listen");
    getsockname(listening, (struct sockaddr *)&address, &length);

    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
    printf("ready 127.0.0.1:%d model=floor pid=%d compute_rate=0\n", ntohs(address.sin_port),
           (int)getpid());
    fflush(stdout);

    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listening) {
                serve(events[i].data.fd);
                continue;
            }
            int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
            event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
            if (fd >= 0)
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
