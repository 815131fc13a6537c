/* Opens and closes connections, one at a time, each in the next of these ways: a request that is
 * answered, a reset in the middle of an answer, half a request, none at all.
 *
 *     churn PORT CONNECTIONS */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum way { ANSWERED, RESET, HALF, NONE, WAYS };

static const char *const requests[WAYS] = {
    [ANSWERED] = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    [RESET] = "GET /work?bytes=16777216 HTTP/1.1\r\nHost: a\r\n\r\n",
    [HALF] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nhalf a bo",
    [NONE] = "",
};

static int dial(unsigned short port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void read_to_the_end(int fd)
{
    char buffer[4096];
    while (read(fd, buffer, sizeof buffer) > 0)
        ;
}

static void connect_once(unsigned short port, enum way way)
{
    int fd = dial(port);
    char buffer[100];
    (void)!write(fd, requests[way], strlen(requests[way]));
    if (way == ANSWERED)
        read_to_the_end(fd);
    if (way == RESET) {
        /* The answer has begun, and most of it is still to come. */
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        (void)!read(fd, buffer, sizeof buffer);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    unsigned short port = (unsigned short)atoi(argv[1]);
    long connections = atol(argv[2]);
    for (long i = 0; i < connections; i++)
        connect_once(port, (enum way)(i % WAYS));
    return 0;
}
