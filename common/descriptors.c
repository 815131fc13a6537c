#include "common/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

unsigned long descriptors_prepare(unsigned long most, unsigned long expected)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
    setrlimit(RLIMIT_NOFILE, &limit);

    unsigned long highest = expected < limit.rlim_cur ? expected : limit.rlim_cur;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)highest - 1);
    if (fd >= 0)
        close(fd); /* the table stays as large as it was for it */
    return limit.rlim_cur;
}
