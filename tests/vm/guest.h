/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_VM_GUEST_H
#define KMQ_VM_GUEST_H

/*
 * Waits for one request on the port, runs it and sends its exit status.
 * Returns 0, or -1 when the host went away. Call it in a process of its own.
 */
int session_run(int port);

/* Mounts the host's files and the kernel's file systems, makes them "/". */
int guest_mounts(void);

/* One path the host wants visible even where a tmpfs hides it. */
int guest_keep(const char *path);
/* A writable export. */
int guest_export(const char *tag, const char *path);

void guest_log(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
