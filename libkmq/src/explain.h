/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kmq_explain() at work: the text so far and the facts it draws on. */
#ifndef KMQ_EXPLAIN_H
#define KMQ_EXPLAIN_H

#include "internal.h"

struct explain {
	int ctl;		/* open, or < 0 */
	int device;		/* why KMQ_DEVICE could not be opened, or 0 */
	const char *name;	/* the object's, or NULL */
	int err;
	uint64_t detail;
	char *text;
	size_t size;
	size_t len;		/* bytes the whole text has so far */
	int looked;		/* 1: st and at are filled, -1: cannot be */
	struct kmq_stat_args st;
	struct kmq_attrs at;
};

void kmq__explain_add(struct explain *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The C library's word for -@err. */
void kmq__explain_errno(struct explain *e, int err);
/* Get the named object's state once; true if it is known. */
int kmq__explain_look(struct explain *e);
/* Names of a user and a group, or their numbers. */
void kmq__explain_user(uint32_t uid, char *buf, size_t size);
void kmq__explain_group(uint32_t gid, char *buf, size_t size);
/* The attributes in @mask by name, with the object's values if @values. */
void kmq__explain_attrs(struct explain *e, uint64_t mask, int values);
void kmq__explain_einval(struct explain *e);
/* A refusal by the limits of @scope (USER: or of the domain). */
void kmq__explain_limit(struct explain *e, unsigned int scope);

#endif /* KMQ_EXPLAIN_H */
