#include "servers/channel.h"

#include "common/clock.h"
#include "common/sockets.h"
#include "servers/lock.h"
#include "servers/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sendfile(2) moves no more than this at a time anyway. */
#define SENDFILE_MOST_BYTES 0x7ffff000ull

bool channel_open(struct channel *ch, struct server *server, int fd)
{
    *ch = (struct channel){.server = server, .fd = fd, .file_fd = -1};
    ch->connection = connection_new(&server->http);
    if (!ch->connection) {
        close(fd);
        return false;
    }
    stop_watch(fd);
    return true;
}

static void close_file(struct channel *ch)
{
    if (ch->file_fd >= 0)
        close(ch->file_fd);
    ch->file_fd = -1;
}

void channel_close(struct channel *ch)
{
    close_file(ch);
    connection_free(ch->connection);
    stop_unwatch(ch->fd);
    close(ch->fd);
}

/* Below the root whatever the name says: the kernel refuses "..", absolute names and
 * symbolic links that lead out (openat2(2), RESOLVE_BENEATH). Non-blocking, lest a FIFO
 * that lies there stop the server. */
static int open_beneath(int root_fd, const char *name)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root_fd, name, &how, sizeof how);
}

static void open_file(struct channel *ch)
{
    struct file_facts facts = {0};
    struct stat st;
    ch->file_fd = open_beneath(ch->server->root_fd, connection_file_name(ch->connection));
    if (ch->file_fd < 0 || fstat(ch->file_fd, &st) < 0) {
        facts.error = errno;
    } else if (!S_ISREG(st.st_mode)) {
        facts.error = ENOENT;
    } else {
        facts.size_bytes = (uint64_t)st.st_size;
        facts.modified_s = st.st_mtime;
    }
    connection_file_opened(ch->connection, &facts);
    if (!connection_uses_file(ch->connection))
        close_file(ch);
}

struct interest channel_interest(struct channel *ch)
{
    for (;;) {
        struct interest want = connection_interest(ch->connection, clock_now_ns());
        if (want.set & INTEREST_FILE) {
            open_file(ch);
        } else if (want.set & INTEREST_FINISH) {
            shutdown(ch->fd, SHUT_WR);
            connection_finished(ch->connection);
        } else {
            return want;
        }
    }
}

bool channel_receive(struct channel *ch, struct receive_room *room)
{
    ssize_t n = recv(ch->fd, room->bytes, sizeof room->bytes, 0);
    if (n > 0)
        connection_received(ch->connection, room->bytes, (size_t)n, clock_now_ns());
    else if (n == 0)
        connection_received_end(ch->connection);
    else if (not_ready(errno))
        return false;
    else
        connection_aborted(ch->connection);
    return true;
}

static ssize_t send_file(struct channel *ch, const struct output *out)
{
    off_t offset = (off_t)out->file_offset;
    uint64_t bytes = out->file_bytes < SENDFILE_MOST_BYTES ? out->file_bytes : SENDFILE_MOST_BYTES;
    ssize_t n = sendfile(ch->fd, ch->file_fd, &offset, (size_t)bytes);
    if (n == 0) { /* the file has become shorter than its announced length */
        errno = EIO;
        return -1;
    }
    return n;
}

static ssize_t send_pieces(struct channel *ch, struct output *out)
{
    int flags = MSG_NOSIGNAL | (out->file_bytes ? MSG_MORE : 0);
    if (out->count == 1)
        return send(ch->fd, out->pieces[0].iov_base, out->pieces[0].iov_len, flags);
    struct msghdr message = {.msg_iov = out->pieces, .msg_iovlen = (size_t)out->count};
    return sendmsg(ch->fd, &message, flags);
}

bool channel_send(struct channel *ch)
{
    struct output out;
    connection_output(ch->connection, &out);
    ssize_t n = out.count ? send_pieces(ch, &out) : send_file(ch, &out);
    if (n < 0 && not_ready(errno))
        return false;
    if (n < 0)
        connection_aborted(ch->connection);
    else
        connection_sent(ch->connection, (size_t)n);
    if (ch->file_fd >= 0 && !connection_uses_file(ch->connection))
        close_file(ch);
    return true;
}

void channel_locked(struct channel *ch)
{
    lock_take(ch->server->lock);
    connection_locked(ch->connection);
    lock_release(ch->server->lock);
}
