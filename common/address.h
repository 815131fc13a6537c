/* "ADDR:PORT" as people write it, and as sockets want it. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
    struct sockaddr_storage socket;
    socklen_t length;
};

/* Resolves "127.0.0.1:8080", "[::1]:8080" or "localhost:80". true, or false with
 * the reason in `why`, a constant text. */
bool address_parse(const char *text, struct address *, const char **why);

/* The same, or a Unix socket: "unix:PATH". */
bool address_parse_any(const char *text, struct address *, const char **why);

/* 0 where there is none. */
unsigned address_port(const struct address *);
void address_set_port(struct address *, unsigned port);

/* In 127.0.0.0/8, or ::1. */
bool address_is_loopback(const struct address *);

/* "ADDR:PORT" or "[ADDR]:PORT". */
enum { ADDRESS_TEXT_BYTES = 64 };
void address_text(const struct address *, char text[ADDRESS_TEXT_BYTES]);

#endif
