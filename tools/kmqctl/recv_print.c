// SPDX-License-Identifier: GPL-2.0-only
/* A received message as text, as bytes or as JSON. */
#include <string.h>

#include "recv.h"

typedef void field_fn(const struct print_plan *plan, const char *queue,
		      const struct kmq_msg *msg, struct text *out);

#define FIELD(name, call)						\
static void field_##name(const struct print_plan *plan, const char *queue, \
			 const struct kmq_msg *msg, struct text *out)	\
{									\
	(void)plan;							\
	(void)queue;							\
	(void)msg;							\
	call;								\
}

static void add_bytes(const struct print_plan *plan, struct text *out,
		      const void *p, size_t len)
{
	if (plan->escape)
		text_escaped(out, p, len);
	else
		text_add(out, p, len);
}

static void add_time(struct text *out, uint64_t ns)
{
	char buf[64];

	format_iso(ns, buf, sizeof(buf));
	text_str(out, buf);
}

FIELD(body, add_bytes(plan, out, msg->body, msg->len))
FIELD(key, add_bytes(plan, out, msg->key, msg->key_len))
FIELD(queue, text_str(out, queue))
FIELD(priority, text_printf(out, "%u", msg->priority))
FIELD(seq, text_printf(out, "%llu", (unsigned long long)msg->seq))
FIELD(size, text_printf(out, "%zu", msg->len))
FIELD(pid, text_printf(out, "%u", msg->pid))
FIELD(uid, text_printf(out, "%u", msg->uid))
FIELD(gid, text_printf(out, "%u", msg->gid))
FIELD(sender, text_printf(out, "%u/%u", msg->pid, msg->uid))
FIELD(deliveries, text_printf(out, "%u", msg->deliveries))
FIELD(cookie, text_printf(out, "%llu", (unsigned long long)msg->cookie))
FIELD(time, add_time(out, msg->time))

static void field_headers(const struct print_plan *plan, const char *queue,
			  const struct kmq_msg *msg, struct text *out)
{
	const char *name;
	const void *value;
	size_t pos = 0, len;
	bool more = false;

	(void)queue;
	while (kmq_header_next(msg, &pos, &name, &value, &len) > 0) {
		if (more)
			text_add(out, ",", 1);
		more = true;
		add_bytes(plan, out, name, strlen(name));
		text_add(out, "=", 1);
		add_bytes(plan, out, value, len);
	}
}

static const struct {
	const char *name;
	field_fn *add;
} fields[] = {
	{ "body", field_body }, { "key", field_key },
	{ "headers", field_headers }, { "queue", field_queue },
	{ "seq", field_seq }, { "priority", field_priority },
	{ "time", field_time }, { "size", field_size },
	{ "sender", field_sender }, { "pid", field_pid },
	{ "uid", field_uid }, { "gid", field_gid },
	{ "deliveries", field_deliveries }, { "cookie", field_cookie },
};

const char print_fields_help[] =
"Fields: body, key, headers, queue, seq, priority, time, size, sender (pid/uid),\n"
"pid, uid, gid, deliveries, cookie.";

void print_plan_fields(struct print_plan *plan, const char *list)
{
	const char *names[ARRAY_SIZE(fields)];
	char word[64], near[200];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		names[i] = fields[i].name;
	plan->n = 0;
	do {
		size_t len = strcspn(list, ",");

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		for (i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(word, names[i]))
				break;
		if (i == ARRAY_SIZE(fields)) {
			nearest(word, "", names, i, near, sizeof(near));
			usage_error("--print: unknown field \"%s\"%s\n%s", word,
				    near, print_fields_help);
		}
		if (plan->n == sizeof(plan->fields))
			usage_error("--print: more than %zu fields",
				    sizeof(plan->fields));
		plan->fields[plan->n++] = (unsigned char)i;
		list += len;
	} while (*list++ == ',');
}

/* Any bytes: as a string where that is faithful and harmless. */
static void json_bytes(struct text *out, const char *name, const void *p,
		       size_t len)
{
	if (is_plain_text(p, len)) {
		text_printf(out, "\"%s\":", name);
		text_json(out, p, len);
	} else {
		text_printf(out, "\"%s_base64\":\"", name);
		text_base64(out, p, len);
		text_add(out, "\"", 1);
	}
}

static void json_headers(struct text *out, const struct kmq_msg *msg)
{
	const char *name;
	const void *value;
	size_t pos = 0, len;
	bool more = false;

	text_str(out, ",\"headers\":[");
	while (kmq_header_next(msg, &pos, &name, &value, &len) > 0) {
		text_str(out, more ? ",{" : "{");
		more = true;
		json_bytes(out, "name", name, strlen(name));
		text_add(out, ",", 1);
		json_bytes(out, "value", value, len);
		text_add(out, "}", 1);
	}
	text_add(out, "]", 1);
}

static void json_message(const char *queue, const struct kmq_msg *msg,
			 struct text *out)
{
	text_str(out, "{\"queue\":");
	text_json(out, queue, strlen(queue));
	text_printf(out, ",\"seq\":%llu,\"priority\":%u,\"time\":\"",
		    (unsigned long long)msg->seq, msg->priority);
	add_time(out, msg->time);
	text_printf(out, "\",\"pid\":%u,\"uid\":%u,\"gid\":%u,\"deliveries\":%u",
		    msg->pid, msg->uid, msg->gid, msg->deliveries);
	text_printf(out, ",\"cookie\":%llu,\"size\":%zu",
		    (unsigned long long)msg->cookie, msg->len);
	if (msg->key) {
		text_add(out, ",", 1);
		json_bytes(out, "key", msg->key, msg->key_len);
	}
	if (msg->headers_len)
		json_headers(out, msg);
	text_add(out, ",", 1);
	json_bytes(out, "body", msg->body, msg->len);
	text_str(out, "}\n");
}

void print_message(const struct print_plan *plan, const char *queue,
		   const struct kmq_msg *msg, struct text *out)
{
	size_t i;

	if (plan->json) {
		json_message(queue, msg, out);
		return;
	}
	if (plan->raw) {
		text_add(out, msg->body, msg->len);
		return;
	}
	for (i = 0; i < plan->n; i++) {
		if (i)
			text_add(out, "\t", 1);
		fields[plan->fields[i]].add(plan, queue, msg, out);
	}
	text_add(out, "\n", 1);
}
