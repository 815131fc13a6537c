#include "switches/pipes.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void pipe_send(int out)
{
    if (write(out, "", 1) != 1)
        err(1, "cannot write to a pipe");
}

void pipe_receive(int in)
{
    char byte;
    if (read(in, &byte, 1) != 1)
        err(1, "cannot read from a pipe");
}

static int reason_of_failure(unsigned count, unsigned opened, struct reason *reason)
{
    struct rlimit limit = {0};
    int error = errno;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (error == EMFILE)
        return reason_set(reason, "%u pipes need more descriptors than RLIMIT_NOFILE allows (%lu)",
                          count, (unsigned long)limit.rlim_cur);
    return reason_set(reason, "pipe %u of %u: %s", opened + 1, count, strerror(error));
}

struct pipe *pipes_open(unsigned count, struct reason *reason)
{
    struct pipe *pipes = calloc(count, sizeof *pipes);
    if (!pipes) {
        reason_set(reason, "no memory for %u pipes", count);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            reason_of_failure(count, i, reason);
            pipes_close(pipes, i);
            return NULL;
        }
        pipes[i] = (struct pipe){.in = ends[0], .out = ends[1]};
    }
    return pipes;
}

void pipes_close(struct pipe *pipes, unsigned count)
{
    for (unsigned i = 0; pipes && i < count; i++) {
        close(pipes[i].in);
        close(pipes[i].out);
    }
    free(pipes);
}
