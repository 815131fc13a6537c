/* A server that misbehaves in the way that its first argument names, for the tests of loadgen.
 *
 *     bad_server MODE [FILE]
 *
 * It writes the ready line that servers write. With FILE, it appends the head of every request. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!"

/* What each request is answered with, and what becomes of the connection then. */
static const struct mode {
    const char *name, *answer;
    enum { KEEP, CLOSE, RESET, FLOOD, EXIT, SLOW } then;
    unsigned good; /* this many requests are answered well before */
} modes[] = {
    {"good", GOOD, KEEP, 0},
    {"silent", "", KEEP, 0},
    {"garbage", "\x16\x03garbage\r\n\r\n", KEEP, 0},
    {"wrong-body", "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, Wurld!", KEEP, 0},
    {"short-body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello", KEEP, 0},
    {"long-body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello, World!", KEEP, 0},
    {"truncated", "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello", CLOSE, 0},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello", RESET, 0},
    {"no-answer", "", CLOSE, 0},
    {"closing", GOOD, CLOSE, 0},
    {"says-close",
     "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nHello, World!", CLOSE, 0},
    {"until-close", "HTTP/1.0 200 OK\r\n\r\nHello, World!", CLOSE, 0},
    {"unavailable", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", KEEP, 0},
    {"flood", GOOD, FLOOD, 0},
    {"dies", "", EXIT, 20},
    {"slows-down", GOOD, SLOW, 0}, /* ten times, a second after its first request */
};

static const struct mode *mode;
static FILE *heads;
static atomic_uint requests;
static atomic_llong first_ms; /* when the first request came; 0: none yet */
static bool stumbles;         /* the very first connection is closed without an answer */

/* Reads the head of one request (which has no body). false when the client is gone. */
static bool read_head(int fd)
{
    char head[4096] = "";
    size_t length = 0;
    while (!strstr(head, "\r\n\r\n")) {
        if (length == sizeof head - 1 || read(fd, head + length, 1) != 1)
            return false;
        head[++length] = '\0';
    }
    if (heads) {
        fputs(head, heads);
        fflush(heads);
    }
    return true;
}

static bool say(int fd, const char *text)
{
    size_t length = strlen(text);
    return length == 0 || send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void work_for_a_while(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    long long now_ms = (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000, unset = 0;
    atomic_compare_exchange_strong(&first_ms, &unset, now_ms);
    usleep(now_ms - atomic_load(&first_ms) < 1000 ? 3000 : 30000);
}

static void *serve(void *argument)
{
    int fd = (int)(long)argument;
    while (read_head(fd)) {
        unsigned number = atomic_fetch_add(&requests, 1);
        if (stumbles && number == 0)
            break;
        if (number < mode->good) {
            say(fd, GOOD);
            continue;
        }
        if (mode->then == EXIT)
            _exit(3);
        if (mode->then == SLOW)
            work_for_a_while();
        if (!say(fd, mode->answer) || mode->then == CLOSE)
            break;
        while (mode->then == FLOOD && say(fd, mode->answer))
            usleep(500); /* one at a time, as if each were asked for */
        if (mode->then == RESET) {
            usleep(1000); /* so that the answer's beginning arrives first */
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
            break;
        }
    }
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    bool refuses = strcmp(wanted, "refuse") == 0;
    stumbles = strcmp(wanted, "stumbles") == 0;
    if (refuses || stumbles)
        wanted = "good";
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(wanted, modes[i].name) == 0)
            mode = &modes[i];
    if (!mode || (argc > 2 && !(heads = fopen(argv[2], "a"))))
        return 1;

    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 512) ||
        getsockname(listener, (struct sockaddr *)&at, &size))
        return 1;
    if (refuses)
        close(listener);
    printf("ready 127.0.0.1:%d model=bad pid=%d compute_rate=1\n", ntohs(at.sin_port), getpid());
    fflush(stdout);
    while (refuses)
        pause();
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(long)fd) == 0)
            pthread_detach(thread);
    }
}
