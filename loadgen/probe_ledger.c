#include "loadgen/probe_ledger.h"

#include "loadgen/probe_btf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROCESSES_MAX = 16384, PROGRAM_MAX = 96 };

/* What the kernel counts for each task by itself. */
enum task_count { VOLUNTARY, INVOLUNTARY, USER_NS, SYSTEM_NS, WAIT_NS, MIGRATIONS, TASK_COUNTS };

/* The ledger's row for a process: an array, so that the programs below can
 * name a column by its number. The living are only ever added to, and read as
 * the difference of two readings: so no reset can race with an exit. */
enum column {
    DEAD, /* a column for each of TASK_COUNTS */
    LIVING = DEAD + TASK_COUNTS,
    BORN = LIVING + TASK_COUNTS,
    DIED,
    LOST,
    COLUMNS
};

_Static_assert((int)COLUMNS * sizeof(uint64_t) == sizeof(struct ledger_row), "a word a column");

/* linux/sched.h, stable since 2.6: the task is on its way out. It is set just
 * before the exit tracepoint, so a task is either living or written down. */
static const int pf_exiting = 0x4;

/* pid namespaces: include/linux/proc_ns.h, PROC_PID_INIT_INO. */
static const ino_t first_pid_namespace = 0xEFFFFFFCu;

static int bpf(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- a program, instruction by instruction (Documentation/bpf/standardization) ---------------- */

struct program {
    struct bpf_insn code[PROGRAM_MAX];
    int length;
};

struct layout {
    int tgid, flags;         /* offsets in task_struct */
    int counts[TASK_COUNTS]; /* the same; -1: this kernel does not count it */
};

static void emit(struct program *p, int code, int to, int from, int offset, int immediate)
{
    p->code[p->length++] = (struct bpf_insn){.code = (uint8_t)code,
                                             .dst_reg = (uint8_t)(to & 0xf),
                                             .src_reg = (uint8_t)(from & 0xf),
                                             .off = (int16_t)offset,
                                             .imm = immediate};
}

static void load(struct program *p, int size, int to, int base, int offset)
{
    emit(p, BPF_LDX | BPF_MEM | size, to, base, offset, 0);
}

static void set(struct program *p, int to, int value)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

static void copy(struct program *p, int to, int from)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void finish(struct program *p)
{
    set(p, BPF_REG_0, 0);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Ends the program unless the comparison with `value` holds. */
static void require(struct program *p, int comparison, int reg, int value)
{
    emit(p, BPF_JMP | comparison | BPF_K, reg, 0, 2, value);
    finish(p);
}

static void map_address(struct program *p, int to, int map)
{
    emit(p, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map);
    emit(p, 0, 0, 0, 0, 0); /* the upper half of the wide immediate */
}

/* R0 = the map's element for the key in a register; ends the program when there is none. */
static void look_up(struct program *p, int map, int key)
{
    emit(p, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, key, -4, 0);
    map_address(p, BPF_REG_1, map);
    copy(p, BPF_REG_2, BPF_REG_10);
    emit(p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
    emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
    require(p, BPF_JNE, BPF_REG_0, 0);
}

/* R0 = the row of the process whose id is in R7; ends the program when it has none. */
static void find_row(struct program *p, int map)
{
    look_up(p, map, BPF_REG_7);
}

/* Adds R1 to a column of the row at `row`. */
static void add_to(struct program *p, int row, int column)
{
    emit(p, BPF_STX | BPF_ATOMIC | BPF_DW, row, BPF_REG_1, column * 8, BPF_ADD);
}

/* Adds what the task in R6 has come to, to the columns from `first` on of the row in R0. */
static void add_counts(struct program *p, const struct layout *at, enum column first)
{
    for (int i = 0; i < TASK_COUNTS; i++) {
        if (at->counts[i] < 0)
            continue;
        load(p, BPF_DW, BPF_REG_1, BPF_REG_6, at->counts[i]);
        add_to(p, BPF_REG_0, (int)first + i);
    }
}

/* sched_process_exit(task, …): a thread of ours dies. */
static struct program at_exit_of_a_thread(int map, const struct layout *at)
{
    struct program p = {.length = 0};
    load(&p, BPF_DW, BPF_REG_6, BPF_REG_1, 0);
    load(&p, BPF_W, BPF_REG_7, BPF_REG_6, at->tgid);
    find_row(&p, map);
    add_counts(&p, at, DEAD);
    set(&p, BPF_REG_1, 1);
    add_to(&p, BPF_REG_0, DIED);
    finish(&p);
    return p;
}

/* Once for every task of the machine, whenever the iterator is read: struct
 * bpf_iter__task { meta, task }; the last call has no task. */
static struct program for_each_task(int map, const struct layout *at)
{
    struct program p = {.length = 0};
    load(&p, BPF_DW, BPF_REG_6, BPF_REG_1, 8);
    require(&p, BPF_JNE, BPF_REG_6, 0);
    load(&p, BPF_W, BPF_REG_7, BPF_REG_6, at->flags);
    emit(&p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_7, 0, 0, pf_exiting);
    require(&p, BPF_JEQ, BPF_REG_7, 0);
    load(&p, BPF_W, BPF_REG_7, BPF_REG_6, at->tgid);
    find_row(&p, map);
    add_counts(&p, at, LIVING);
    finish(&p);
    return p;
}

/* sched_process_fork(parent, child): a thread of ours makes a thread, or a
 * process, which then has a row before it first runs. */
static struct program at_fork(int map, const struct layout *at)
{
    enum { NEW_ROW = -16 - (int)sizeof(struct ledger_row), NO_SECOND_ROW = 16 };
    struct program p = {.length = 0};
    load(&p, BPF_DW, BPF_REG_6, BPF_REG_1, 8);
    load(&p, BPF_DW, BPF_REG_7, BPF_REG_1, 0);
    load(&p, BPF_W, BPF_REG_7, BPF_REG_7, at->tgid);
    find_row(&p, map);
    copy(&p, BPF_REG_8, BPF_REG_0);
    set(&p, BPF_REG_1, 1);
    add_to(&p, BPF_REG_8, BORN);
    load(&p, BPF_W, BPF_REG_6, BPF_REG_6, at->tgid);
    emit(&p, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_6, BPF_REG_7, 2, 0);
    finish(&p);

    emit(&p, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_6, -4, 0);
    for (int i = 0; i < COLUMNS; i++)
        emit(&p, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, NEW_ROW + i * 8, 0);
    map_address(&p, BPF_REG_1, map);
    copy(&p, BPF_REG_2, BPF_REG_10);
    emit(&p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
    copy(&p, BPF_REG_3, BPF_REG_10);
    emit(&p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, NEW_ROW);
    set(&p, BPF_REG_4, BPF_ANY);
    emit(&p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem);
    require(&p, BPF_JNE, BPF_REG_0, 0);
    set(&p, BPF_REG_1, 1);
    add_to(&p, BPF_REG_8, LOST);
    finish(&p);
    return p;
}

/* sys_enter(registers, number): the caller is the current process. */
static struct program at_system_call(int map, int counts)
{
    struct program p = {.length = 0};
    load(&p, BPF_DW, BPF_REG_8, BPF_REG_1, 8);
    emit(&p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid);
    copy(&p, BPF_REG_7, BPF_REG_0);
    emit(&p, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_7, 0, 0, 32);
    find_row(&p, map);
    emit(&p, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_8, 0, 1, SYSCALL_OTHER);
    set(&p, BPF_REG_8, SYSCALL_OTHER);
    look_up(&p, counts, BPF_REG_8);
    set(&p, BPF_REG_1, 1);
    add_to(&p, BPF_REG_0, 0);
    finish(&p);
    return p;
}

/* --- into the kernel -------------------------------------------------------------------------- */

static int load_program(const struct program *p, const char *name, enum bpf_attach_type attach,
                        uint32_t attach_id)
{
    if (attach_id == 0) {
        errno = ENOENT; /* this kernel has no such tracepoint or iterator */
        return -1;
    }
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_TRACING;
    attr.expected_attach_type = attach;
    attr.attach_btf_id = attach_id;
    attr.insns = (uintptr_t)p->code;
    attr.insn_cnt = (uint32_t)p->length;
    attr.license = (uintptr_t) "Dual MIT/GPL";
    snprintf(attr.prog_name, sizeof attr.prog_name, "%s", name);
    return bpf(BPF_PROG_LOAD, &attr);
}

/* The link holds the program: closing it takes the program out of the kernel. */
static int attach_to_tracepoint(const struct program *p, const char *name, const struct btf *b,
                                const char *tracepoint)
{
    int program =
        load_program(p, name, BPF_TRACE_RAW_TP, btf_type_id(b, BTF_KIND_TYPEDEF, tracepoint));
    if (program < 0)
        return -1;
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.raw_tracepoint.prog_fd = (uint32_t)program;
    int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
    int error = errno;
    close(program);
    errno = error;
    return link;
}

static int create_map(enum bpf_map_type type, uint32_t value_size, uint32_t elements)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_type = type;
    attr.key_size = sizeof(uint32_t);
    attr.value_size = value_size;
    attr.max_entries = elements;
    attr.map_flags = type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0;
    return bpf(BPF_MAP_CREATE, &attr);
}

static int link_iterator(int program)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.link_create.prog_fd = (uint32_t)program;
    attr.link_create.attach_type = BPF_TRACE_ITER;
    return bpf(BPF_LINK_CREATE, &attr);
}

/* Where a member of a struct within task_struct is; -1: this kernel has no such thing. */
static int inner_offset(const struct btf *b, const char *outer, const char *name,
                        const char *member)
{
    int at = btf_member_offset(b, "task_struct", outer);
    int further = btf_member_offset(b, name, member);
    return at < 0 || further < 0 ? -1 : at + further;
}

static int find_layout(const struct btf *b, struct layout *at)
{
    at->tgid = btf_member_offset(b, "task_struct", "tgid");
    at->flags = btf_member_offset(b, "task_struct", "flags");
    at->counts[VOLUNTARY] = btf_member_offset(b, "task_struct", "nvcsw");
    at->counts[INVOLUNTARY] = btf_member_offset(b, "task_struct", "nivcsw");
    at->counts[USER_NS] = btf_member_offset(b, "task_struct", "utime");
    at->counts[SYSTEM_NS] = btf_member_offset(b, "task_struct", "stime");
    at->counts[WAIT_NS] = inner_offset(b, "sched_info", "sched_info", "run_delay");
    at->counts[MIGRATIONS] = inner_offset(b, "se", "sched_entity", "nr_migrations");
    if (at->tgid >= 0 && at->flags >= 0 && at->counts[VOLUNTARY] >= 0 &&
        at->counts[INVOLUNTARY] >= 0)
        return 0;
    errno = ENOENT;
    return -1;
}

/* The programs see the process ids of the first namespace, and so must we. */
static int in_first_pid_namespace(void)
{
    struct stat about;
    if (stat("/proc/self/ns/pid", &about))
        return -1;
    if (about.st_ino == first_pid_namespace)
        return 0;
    errno = EOPNOTSUPP;
    return -1;
}

static int install(struct ledger *l, const struct btf *b, const char **step)
{
    struct layout at;
    *step = "finding the kernel's task_struct";
    if (find_layout(b, &at))
        return -1;
    l->knows_waits = at.counts[WAIT_NS] >= 0;
    l->knows_migrations = at.counts[MIGRATIONS] >= 0;

    *step = "bpf(BPF_MAP_CREATE)";
    if ((l->map = create_map(BPF_MAP_TYPE_HASH, sizeof(struct ledger_row), PROCESSES_MAX)) < 0)
        return -1;

    *step = "following thread exits";
    struct program p = at_exit_of_a_thread(l->map, &at);
    if ((l->exit_link = attach_to_tracepoint(&p, "sp_exit", b, "btf_trace_sched_process_exit")) < 0)
        return -1;

    *step = "following fork";
    p = at_fork(l->map, &at);
    if ((l->fork_link = attach_to_tracepoint(&p, "sp_fork", b, "btf_trace_sched_process_fork")) < 0)
        return -1;

    *step = "iterating over tasks";
    p = for_each_task(l->map, &at);
    l->iterator_program = load_program(&p, "sp_tasks", BPF_TRACE_ITER,
                                       btf_type_id(b, BTF_KIND_FUNC, "bpf_iter_task"));
    if (l->iterator_program < 0)
        return -1;
    return (l->iterator_link = link_iterator(l->iterator_program)) < 0 ? -1 : 0;
}

int ledger_open(struct ledger *l, char *why, size_t why_size)
{
    *l = (struct ledger){.map = -1,
                         .exit_link = -1,
                         .fork_link = -1,
                         .iterator_link = -1,
                         .iterator_program = -1,
                         .syscall_map = -1,
                         .syscall_link = -1};
    const char *step = "outside the machine's first pid namespace";
    struct btf b = {0};
    int failed = in_first_pid_namespace();
    if (!failed) {
        step = "reading /sys/kernel/btf/vmlinux";
        failed = btf_load(&b);
    }
    if (!failed)
        failed = install(l, &b, &step);
    int error = errno;
    btf_free(&b);
    if (!failed)
        return 0;
    snprintf(why, why_size, "%s: %s", step, strerror(error));
    ledger_close(l);
    errno = error;
    return -1;
}

static void ignore_syscalls(struct ledger *l)
{
    close_if_open(&l->syscall_link);
    close_if_open(&l->syscall_map);
}

void ledger_close(struct ledger *l)
{
    ignore_syscalls(l);
    close_if_open(&l->iterator_link);
    close_if_open(&l->iterator_program);
    close_if_open(&l->fork_link);
    close_if_open(&l->exit_link);
    close_if_open(&l->map);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int map_command(int map, int command, const void *key, void *value, uint64_t flags)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_fd = (uint32_t)map;
    attr.key = (uintptr_t)key;
    attr.value = (uintptr_t)value; /* for BPF_MAP_GET_NEXT_KEY the same place is next_key */
    attr.flags = flags;
    return bpf(command, &attr);
}

int ledger_enter(struct ledger *l, pid_t process)
{
    struct ledger_row row = {{0}};
    if (map_command(l->map, BPF_MAP_UPDATE_ELEM, &process, &row, BPF_NOEXIST) && errno != EEXIST)
        return -1;
    return 0;
}

static struct ledger_row sum_rows(const struct ledger *l)
{
    struct ledger_row sum = l->folded;
    pid_t key = 0, *last = NULL;
    while (map_command(l->map, BPF_MAP_GET_NEXT_KEY, last, &key, 0) == 0) {
        struct ledger_row row;
        last = &key;
        if (map_command(l->map, BPF_MAP_LOOKUP_ELEM, &key, &row, 0) == 0)
            for (int i = 0; i < COLUMNS; i++)
                sum.column[i] += row.column[i];
    }
    return sum;
}

/* Reading the iterator to its end runs the program once for every task. */
static int visit_living(const struct ledger *l)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.iter_create.link_fd = (uint32_t)l->iterator_link;
    int tasks = bpf(BPF_ITER_CREATE, &attr);
    if (tasks < 0)
        return -1;
    char nothing[64];
    ssize_t n;
    do
        n = read(tasks, nothing, sizeof nothing);
    while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
    int error = errno;
    close(tasks);
    errno = error;
    return n < 0 ? -1 : 0;
}

int ledger_read(const struct ledger *l, struct ledger_sums *sums)
{
    struct ledger_row before = sum_rows(l);
    if (visit_living(l))
        return -1;
    struct ledger_row now = sum_rows(l);
    uint64_t all[TASK_COUNTS];
    for (int i = 0; i < TASK_COUNTS; i++)
        all[i] = now.column[DEAD + i] + now.column[LIVING + i] - before.column[LIVING + i];
    *sums = (struct ledger_sums){
        .voluntary = all[VOLUNTARY],
        .involuntary = all[INVOLUNTARY],
        .user_ns = all[USER_NS],
        .system_ns = all[SYSTEM_NS],
        .wait_ns = all[WAIT_NS],
        .migrations = all[MIGRATIONS],
        .born = now.column[BORN],
        .died = now.column[DIED],
        .lost = now.column[LOST],
    };
    return 0;
}

/* A key may be asked for its successor only while it is in the map, so each
 * row is deleted after that; and the row of an ended process does not change. */
void ledger_fold(struct ledger *l)
{
    pid_t key = 0, next = 0;
    bool more = map_command(l->map, BPF_MAP_GET_NEXT_KEY, NULL, &next, 0) == 0;
    while (more) {
        struct ledger_row row;
        key = next;
        more = map_command(l->map, BPF_MAP_GET_NEXT_KEY, &key, &next, 0) == 0;
        if (kill(key, 0) == 0 || errno != ESRCH)
            continue;
        if (map_command(l->map, BPF_MAP_LOOKUP_ELEM, &key, &row, 0))
            continue;
        map_command(l->map, BPF_MAP_DELETE_ELEM, &key, NULL, 0);
        for (int i = 0; i < COLUMNS; i++)
            l->folded.column[i] += row.column[i];
    }
}

size_t ledger_processes(const struct ledger *l, pid_t *processes, size_t capacity)
{
    size_t count = 0;
    pid_t key = 0, *last = NULL;
    while (count < capacity && map_command(l->map, BPF_MAP_GET_NEXT_KEY, last, &key, 0) == 0) {
        processes[count++] = key;
        last = &key;
    }
    return count;
}

int ledger_count_syscalls(struct ledger *l)
{
    struct btf b;
    if (btf_load(&b))
        return -1;
    l->syscall_map = create_map(BPF_MAP_TYPE_ARRAY, sizeof(uint64_t), SYSCALL_NUMBERS);
    if (l->syscall_map >= 0) {
        struct program p = at_system_call(l->map, l->syscall_map);
        l->syscall_link = attach_to_tracepoint(&p, "sp_syscall", &b, "btf_trace_sys_enter");
    }
    int error = errno;
    btf_free(&b);
    if (l->syscall_link < 0)
        ignore_syscalls(l);
    errno = error;
    return l->syscall_link < 0 ? -1 : 0;
}

int ledger_take_syscalls(struct ledger *l, uint64_t counts[SYSCALL_NUMBERS])
{
    close_if_open(&l->syscall_link);
    int failed = 0;
    for (uint32_t i = 0; !failed && i < SYSCALL_NUMBERS; i++)
        failed = map_command(l->syscall_map, BPF_MAP_LOOKUP_ELEM, &i, &counts[i], 0);
    int error = errno;
    ignore_syscalls(l);
    errno = error;
    return failed;
}
