#include "loadgen/probe_records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* With the control page, exactly what kernel.perf_event_mlock_kb (516) allows a
 * user for each CPU. */
enum { RING_DATA_BYTES = 512 << 10, NEARLY_FULL_BYTES = 64 };

struct ring {
    int event; /* whose buffer all events of this CPU share; -1: none yet */
    struct perf_event_mmap_page *control;
    size_t size;
};

static int open_event(pid_t tid, int cpu)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.context_switch = 1;
    attr.inherit = 1;
    attr.exclude_kernel = 1; /* the dummy counts nothing, but asking for the kernel takes a right */
    attr.exclude_hv = 1;
    attr.watermark = 1; /* wake nobody: we come by ourselves */
    attr.wakeup_watermark = RING_DATA_BYTES;
    return (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

int records_open(struct records *r)
{
    *r = (struct records){0};
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    r->cpus = cpus > 0 ? (size_t)cpus : 1;
    r->rings = calloc(r->cpus, sizeof *r->rings);
    if (!r->rings)
        return -1;
    for (size_t i = 0; i < r->cpus; i++)
        r->rings[i].event = -1;
    return 0;
}

void records_close(struct records *r)
{
    for (size_t i = 0; i < r->cpus; i++)
        if (r->rings[i].control)
            munmap(r->rings[i].control, r->rings[i].size);
    for (size_t i = 0; i < r->event_count; i++)
        close(r->events[i]);
    free(r->events);
    free(r->rings);
    *r = (struct records){0};
}

static int remember(struct records *r, int event)
{
    if (r->event_count == r->event_capacity) {
        size_t more = r->event_capacity ? r->event_capacity * 2 : 16;
        int *grown = reallocarray(r->events, more, sizeof *grown);
        if (!grown)
            return -1;
        r->events = grown;
        r->event_capacity = more;
    }
    r->events[r->event_count++] = event;
    return 0;
}

/* The first event of a CPU gets a buffer, the others write into it too. */
static int give_buffer(struct ring *ring, int event)
{
    if (ring->event >= 0)
        return ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, ring->event);
    size_t size = RING_DATA_BYTES + (size_t)sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
    if (at == MAP_FAILED)
        return -1;
    *ring = (struct ring){event, at, size};
    return 0;
}

/* The kernel maps an inherited event's buffer only if it is bound to a CPU. */
static int follow_on(struct records *r, pid_t tid, size_t cpu)
{
    int event = open_event(tid, (int)cpu);
    if (event < 0)
        return errno == ENODEV ? 0 : -1; /* ENODEV: this CPU is switched off */
    if (give_buffer(&r->rings[cpu], event) == 0 && remember(r, event) == 0)
        return 0;
    int error = errno;
    if (r->rings[cpu].event == event) { /* its buffer is mapped, but it is not remembered */
        munmap(r->rings[cpu].control, r->rings[cpu].size);
        r->rings[cpu] = (struct ring){.event = -1};
    }
    close(event);
    errno = error;
    return -1;
}

int records_follow(struct records *r, pid_t tid)
{
    for (size_t cpu = 0; cpu < r->cpus; cpu++)
        if (follow_on(r, tid, cpu))
            return -1;
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Records are multiples of 8 bytes and so is the ring: eight never wrap. */
static uint64_t word_at(const struct ring *ring, uint64_t at)
{
    const char *data = (const char *)ring->control + ring->control->data_offset;
    uint64_t word;
    memcpy(&word, data + at % RING_DATA_BYTES, sizeof word);
    return word;
}

static void count(struct records *r, const struct ring *ring, uint64_t at,
                  const struct perf_event_header *h)
{
    if (h->type == PERF_RECORD_LOST)
        r->lost += word_at(ring, at + 16); /* after the header and the event's id */
    if (h->type != PERF_RECORD_SWITCH || !(h->misc & PERF_RECORD_MISC_SWITCH_OUT))
        return;
    if (h->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT)
        r->involuntary++;
    else
        r->voluntary++;
}

static void drain(struct records *r, const struct ring *ring)
{
    uint64_t head = __atomic_load_n(&ring->control->data_head, __ATOMIC_ACQUIRE);
    uint64_t at = ring->control->data_tail;
    if (head - at > RING_DATA_BYTES - NEARLY_FULL_BYTES)
        r->lost++; /* the kernel reports a loss only with the next record that finds room */
    while (at < head) {
        uint64_t word = word_at(ring, at);
        struct perf_event_header h;
        memcpy(&h, &word, sizeof h);
        if (h.size < sizeof h)
            break; /* cannot happen; rather miss the rest than never end */
        count(r, ring, at, &h);
        at += h.size;
    }
    __atomic_store_n(&ring->control->data_tail, head, __ATOMIC_RELEASE);
}

void records_drain(struct records *r)
{
    for (size_t i = 0; i < r->cpus; i++)
        if (r->rings[i].control)
            drain(r, &r->rings[i]);
}
