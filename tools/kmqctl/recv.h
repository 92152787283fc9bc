/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQCTL_RECV_H
#define KMQCTL_RECV_H

#include "kmqctl.h"

/* What is printed of a message, from --print, --raw and --json. */
struct print_plan {
	unsigned char fields[32];
	size_t n;
	bool raw, json;
	bool escape;	/* for a terminal */
};

void print_plan_fields(struct print_plan *plan, const char *list);
void print_message(const struct print_plan *plan, const char *queue,
		   const struct kmq_msg *msg, struct text *out);
extern const char print_fields_help[];

/*
 * Run @command by the shell, the body on its standard input. 0, or the exit
 * code for kmqctl with the reason said.
 */
int exec_message(const char *command, const char *queue,
		 const struct kmq_msg *msg);

#endif /* KMQCTL_RECV_H */
