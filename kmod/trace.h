/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kmq

#if !defined(KMQ_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KMQ_TRACE_H

#include <linux/tracepoint.h>

/* Objects are named by their id, as kmqctl shows it; never by address. */

DECLARE_EVENT_CLASS(kmq_messages,
	TP_PROTO(u64 id, u32 messages, u64 depth),
	TP_ARGS(id, messages, depth),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, depth)
		__field(u32, messages)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->depth = depth;
		__entry->messages = messages;
	),
	TP_printk("object=%llu messages=%u depth=%llu",
		  __entry->id, __entry->messages, __entry->depth)
);

/* messages accepted by a send, and how many are queued afterwards */
DEFINE_EVENT(kmq_messages, kmq_send,
	TP_PROTO(u64 id, u32 messages, u64 depth),
	TP_ARGS(id, messages, depth)
);

/* messages handed to a receiver, and how many are queued afterwards */
DEFINE_EVENT(kmq_messages, kmq_receive,
	TP_PROTO(u64 id, u32 messages, u64 depth),
	TP_ARGS(id, messages, depth)
);

/* a call begins to wait; direction 1: to send, 2: to receive */
TRACE_EVENT(kmq_block,
	TP_PROTO(u64 id, u32 direction),
	TP_ARGS(id, direction),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, direction)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->direction = direction;
	),
	TP_printk("object=%llu direction=%u", __entry->id, __entry->direction)
);

/* a waiting call is ended by another task */
TRACE_EVENT(kmq_wake,
	TP_PROTO(u64 id, u32 direction, int result),
	TP_ARGS(id, direction, result),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, direction)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->direction = direction;
		__entry->result = result;
	),
	TP_printk("object=%llu direction=%u result=%d", __entry->id,
		  __entry->direction, __entry->result)
);

/* messages lost because a drop-head queue was full */
TRACE_EVENT(kmq_drop,
	TP_PROTO(u64 id, u32 messages),
	TP_ARGS(id, messages),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, messages)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->messages = messages;
	),
	TP_printk("object=%llu messages=%u", __entry->id, __entry->messages)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
