#include "common/address.h"

#include "common/units.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

bool address_parse(const char *text, struct address *address, const char **why)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !parse_count(colon + 1, 0, 65535, &port)) {
        *why = "expected ADDR:PORT with a port from 0 to 65535";
        return false;
    }
    char host[256];
    size_t length = (size_t)(colon - text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    } else if (memchr(text, ':', length)) {
        *why = "write an IPv6 address in brackets, as in [::1]:8080";
        return false;
    }
    if (length == 0 || length >= sizeof host) {
        *why = "expected an address before the port";
        return false;
    }
    memcpy(host, text, length);
    host[length] = '\0';

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error) {
        *why = gai_strerror(error);
        return false;
    }
    *address = (struct address){.length = found->ai_addrlen};
    memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    address_set_port(address, (unsigned)port);
    return true;
}

bool address_parse_any(const char *text, struct address *address, const char **why)
{
    static const char prefix[] = "unix:";
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return address_parse(text, address, why);
    const char *path = text + sizeof prefix - 1;
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof local.sun_path) {
        *why = "expected a path of 1 to 107 bytes after unix:";
        return false;
    }
    memcpy(local.sun_path, path, strlen(path) + 1);
    *address = (struct address){.length = sizeof local};
    memcpy(&address->socket, &local, sizeof local);
    return true;
}

unsigned address_port(const struct address *a)
{
    switch (a->socket.ss_family) {
    case AF_INET: return ntohs(((const struct sockaddr_in *)&a->socket)->sin_port);
    case AF_INET6: return ntohs(((const struct sockaddr_in6 *)&a->socket)->sin6_port);
    default: return 0;
    }
}

void address_set_port(struct address *a, unsigned port)
{
    if (a->socket.ss_family == AF_INET)
        ((struct sockaddr_in *)&a->socket)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)&a->socket)->sin6_port = htons((uint16_t)port);
}

bool address_is_loopback(const struct address *a)
{
    if (a->socket.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&a->socket)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a->socket)->sin6_addr);
}

void address_text(const struct address *a, char text[ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = a->socket.ss_family == AF_INET6;
    const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)&a->socket)->sin6_addr
                           : (const void *)&((const struct sockaddr_in *)&a->socket)->sin_addr;
    inet_ntop(a->socket.ss_family, bytes, host, sizeof host);
    snprintf(text, ADDRESS_TEXT_BYTES, v6 ? "[%s]:%u" : "%s:%u", host, address_port(a));
}
