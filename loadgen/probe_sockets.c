#include "loadgen/probe_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_SIZE = 64 << 10, TIME_WAIT = 6, NEW_SYN_RECEIVED = 12 };

/* What the kernel charges to a socket. WMEM_ALLOC is left out: packets on their
 * way down are clones that share their data with what WMEM_QUEUED has counted.
 * FORWARD_ALLOC is reserved for this socket and not yet used; the backlog waits
 * to be put into the receive queue. See sock_diag(7), "INET_DIAG_SKMEMINFO". */
static int64_t charge(const uint32_t *m, size_t count)
{
    static const int counted[] = {SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_WMEM_QUEUED,
                                  SK_MEMINFO_FWD_ALLOC, SK_MEMINFO_OPTMEM, SK_MEMINFO_BACKLOG};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if ((size_t)counted[i] < count)
            sum += m[counted[i]];
    return sum;
}

static int ask(int fd, uint8_t family, uint16_t port)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {
        .head = {.nlmsg_len = sizeof request,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.sdiag_family = family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
                 /* neither of these two is a full socket */
                 .idiag_states = ~(1u << TIME_WAIT | 1u << NEW_SYN_RECEIVED),
                 .id = {.idiag_sport = htons(port)}},
    };
    return send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request ? 0 : -1;
}

static void add_socket(const struct nlmsghdr *message, uint16_t port, struct socket_memory *m)
{
    const struct inet_diag_msg *s = NLMSG_DATA(message);
    if (message->nlmsg_len < NLMSG_LENGTH(sizeof *s) || s->id.idiag_sport != htons(port))
        return;
    m->count++;
    size_t left = message->nlmsg_len - NLMSG_LENGTH(sizeof *s);
    const struct rtattr *a = (const struct rtattr *)(s + 1);
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == INET_DIAG_SKMEMINFO)
            m->bytes += charge(RTA_DATA(a), RTA_PAYLOAD(a) / sizeof(uint32_t));
}

/* 1: more will come; 0: that was all; -1 with errno. */
static int take_reply(const void *reply, size_t size, uint16_t port, struct socket_memory *m)
{
    const struct nlmsghdr *h = reply;
    for (; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size)) {
        if (h->nlmsg_type == NLMSG_DONE)
            return 0;
        if (h->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *e = NLMSG_DATA(h);
            errno = e->error ? -e->error : EPROTO;
            return -1;
        }
        if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            add_socket(h, port, m);
    }
    return 1;
}

static int dump(int fd, uint8_t family, uint16_t port, struct socket_memory *m)
{
    char *reply = malloc(REPLY_SIZE);
    if (!reply || ask(fd, family, port)) {
        free(reply);
        return -1;
    }
    int more = 1;
    while (more > 0) {
        ssize_t n = recv(fd, reply, REPLY_SIZE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        more = n < 0 ? -1 : take_reply(reply, (size_t)n, port, m);
    }
    int error = errno;
    free(reply);
    errno = error;
    return more;
}

/* A server that listens on [::] has its IPv4 connections in the second family. */
int sockets_read(uint16_t port, struct socket_memory *m)
{
    *m = (struct socket_memory){0};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -1;
    int failed = dump(fd, AF_INET, port, m);
    if (!failed && dump(fd, AF_INET6, port, m) && errno != ENOENT)
        failed = -1; /* ENOENT: a kernel without IPv6 */
    int error = errno;
    close(fd);
    errno = error;
    return failed;
}

/* slabinfo(5): name, active objects, all objects, object size. A kernel that
 * merges caches shows one of their names only, and the others are not found. */
int64_t sockets_struct_bytes(void)
{
    static const char *const caches[] = {"TCP", "sock_inode_cache", "dentry", "filp"};
    enum { CACHES = sizeof caches / sizeof *caches };
    FILE *f = fopen("/proc/slabinfo", "re");
    if (!f)
        return -1;
    int64_t sum = 0;
    bool found[CACHES] = {false};
    char *line = NULL;
    size_t line_size = 0;
    while (getline(&line, &line_size, f) > 0) {
        char name[64];
        int64_t size;
        if (sscanf(line, "%63s %*d %*d %" SCNd64, name, &size) != 2)
            continue;
        for (int i = 0; i < CACHES; i++) {
            if (!found[i] && strcmp(name, caches[i]) == 0) {
                found[i] = true;
                sum += size;
            }
        }
    }
    free(line);
    fclose(f);
    for (int i = 0; i < CACHES; i++)
        if (!found[i])
            return -1;
    return sum;
}
