/* A spoiled instrument: its probe knows only the threads that are alive, as
 * everybody does who adds up /proc. Linked into loadgen with --wrap=ledger_read,
 * so that everything else is the real thing. */
#include "loadgen/probe_ledger.h"
#include "loadgen/probe_proc.h"

enum { PROCESSES_MOST = 64 };

int __real_ledger_read(const struct ledger *l, struct ledger_sums *sums);
int __wrap_ledger_read(const struct ledger *l, struct ledger_sums *sums);

int __wrap_ledger_read(const struct ledger *l, struct ledger_sums *sums)
{
    pid_t pids[PROCESSES_MOST];
    struct tree tree = {0};
    struct tasks living = {0};
    int result = __real_ledger_read(l, sums);
    if (result != 0 || tree_set(&tree, pids, ledger_processes(l, pids, PROCESSES_MOST)) != 0 ||
        tasks_read(&living, &tree, false) != 0)
        return result;
    sums->voluntary = sums->involuntary = 0;
    for (size_t i = 0; i < living.count; i++) {
        sums->voluntary += (uint64_t)living.tasks[i].voluntary;
        sums->involuntary += (uint64_t)living.tasks[i].involuntary;
    }
    tasks_free(&living);
    tree_free(&tree);
    return result;
}
