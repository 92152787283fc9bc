/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQCTL_STATUS_WHY_H
#define KMQCTL_STATUS_WHY_H

#include <stdbool.h>
#include <stddef.h>

/* Why /dev/kmq cannot be used, and what would help. */
struct why {
	const char *state;
	char reason[1024];
	char advice[1024];
	bool denied;
};

void find_why(int err, struct why *why);
void why_cell_state(const void *row, char *buf, size_t size);
void why_cell_reason(const void *row, char *buf, size_t size);
void why_cell_advice(const void *row, char *buf, size_t size);

#endif /* KMQCTL_STATUS_WHY_H */
