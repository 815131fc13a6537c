/* Room for descriptors: the limit, and the kernel's table of them. */
#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

/* Raises RLIMIT_NOFILE as far as it goes, but not beyond `most`, and lets the kernel's table have
 * room for `expected` descriptors now. Returns the limit.
 *
 * The table doubles when it is full, and in a process with several threads the kernel then waits
 * for all CPUs to have forgotten the old one (expand_fdtable and synchronize_rcu in fs/file.c):
 * 5 to 15 ms in which that open, accept or socket does not return. A process with one thread does
 * not wait. So call it before there is a second thread, and no measurement has that stall in it. */
unsigned long descriptors_prepare(unsigned long most, unsigned long expected);

#endif
