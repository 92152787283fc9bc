/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kmq: named message queues in the kernel. The interface of /dev/kmq.
 *
 * Two kinds of file descriptor speak it:
 *   control fd  open("/dev/kmq"): bound to a domain, the name space of the
 *               opener's network namespace. INFO OPEN ALTER DELETE STAT LIST
 *               LIMITS ADMIN.
 *   handle      what OPEN returns: one object, opened to send, to receive or
 *               both. read(2), write(2), readv, writev, poll, io_uring, and
 *               XFER STAT ADMIN(SHUTDOWN) FIONREAD.
 *
 * Every structure starts with its own size. A caller built against an older,
 * shorter layout works with a newer kernel (the missing tail counts as zero);
 * a newer caller works with an older kernel as long as the tail it knows and
 * the kernel does not is zero (else E2BIG); smaller than first published is
 * EINVAL. Reserved fields and unknown flags must be zero (else EINVAL).
 * Pointers travel as 64-bit integers and the layout is the same for 32-bit and
 * 64-bit callers.
 *
 * Errors, everywhere the same:
 *   EACCES        the object's owner, group and mode do not allow it, or the
 *                 object to be adopted by CREATE belongs to somebody else
 *   EAGAIN        non-blocking: full (send) or empty (receive)
 *   EBADF         the handle was not opened for that direction
 *   EBUSY         in use (DELETE with IF_UNUSED)
 *   ECANCELED     the handle was shut down for that direction
 *   EDQUOT        a limit of the user or of the domain is reached
 *   EEXIST        CREATE|EXCL: exists; CREATE|MATCH: exists and differs
 *   E2BIG         the structure has a non-zero tail this kernel does not know
 *   EFAULT        bad address; nothing was taken or lost (XFER: unless the
 *                 memory of its results went away while it worked)
 *   EIDRM         the object was deleted, or its domain ended
 *   EINTR         a signal came first; nothing was done
 *   EINVAL        a field, flag or record is malformed; the reply says which
 *   EMSGSIZE      the message exceeds max_message_size (send), or the buffer
 *                 is smaller than the next message (receive: it stays queued)
 *   ENOBUFS       a limit of the whole module is reached
 *   EMFILE ENFILE no file descriptor is free (OPEN)
 *   ENODATA       plain read(2) took a message with an empty body
 *   ENOENT        no object of that name in this domain
 *   ENOMEM        the kernel, or the caller's memory cgroup, has no memory
 *   ENOTEMPTY     DELETE with IF_EMPTY: messages are queued
 *   ENOTTY        no such request on this kind of fd
 *   ENXIO         the domain of this control fd has ended
 *   EOPNOTSUPP    known, but not on this kind of object or in this build
 *   EPERM         only the owner or CAP_SYS_ADMIN over the domain may do it
 *   EPIPE         sealed: no more messages are accepted (no SIGPIPE, ever)
 *   EPROTOTYPE    the object exists and is of another kind
 *   ESTALE        the name now stands for another object than the id given
 *   ETIMEDOUT     the deadline passed; nothing was done
 */
#ifndef _UAPI_LINUX_KMQ_H
#define _UAPI_LINUX_KMQ_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KMQ_DEVICE		"/dev/kmq"

/* Hard limits. INFO reports them too; ask there, not here, at run time. */
#define KMQ_NAME_MAX		255	/* bytes in a name, without a NUL */
#define KMQ_PRIORITY_MAX	32767
#define KMQ_MESSAGE_MAX		(1u << 20)	/* bytes in a body */
#define KMQ_ATTR_MAX		8192	/* bytes of attributes in one record */
#define KMQ_XFER_MAX		(4u << 20)	/* bytes taken from one buffer */

/**
 * struct kmq_record - a message as it travels, in both directions
 * @size: bytes of the whole record: header, attributes, body and the padding
 *	to the next multiple of 8. Always 64 + attr_len + body_len, rounded up.
 * @body_len: bytes of the body, 0 allowed
 * @attr_len: bytes of all attributes behind the header, a multiple of 8
 * @priority: 0 (default) to KMQ_PRIORITY_MAX, higher leaves first
 * @partition: topics only; 0 on a queue
 * @deliveries: which delivery this is, from 1 (set by the kernel)
 * @flags: the sender's bits (low half; none is defined yet) and the kernel's
 *	(high half, KMQ_REC_*; ignored on send)
 * @pid: sender's process id, in the reader's pid namespace; 0 if not visible
 * @uid: sender's user, in the reader's user namespace
 * @gid: sender's group, in the reader's user namespace
 * @time: when it was sent, ns of CLOCK_REALTIME
 * @cookie: the sender's own word, carried untouched
 * @seq: place in the queue's sequence, from 1, never reused
 * @tag: names a lease when answering; 0 where nothing has to be answered
 *
 * Records stand packed one behind the other, each on a multiple of 8 from the
 * start of the buffer. Behind the header come the attributes (struct
 * kmq_record_attr), then the body, then padding, which the kernel sets to zero.
 * What the sender may not choose (deliveries, kernel flags, pid to gid, time,
 * seq, tag, partition of a queue) is ignored on send and overwritten.
 */
struct kmq_record {
	__u32 size;
	__u32 body_len;
	__u16 attr_len;
	__u16 priority;
	__u16 partition;
	__u16 deliveries;
	__u32 flags;
	__u32 pid;
	__u32 uid;
	__u32 gid;
	__aligned_u64 time;
	__aligned_u64 cookie;
	__aligned_u64 seq;
	__aligned_u64 tag;
};

#define KMQ_RECORD_ALIGN	8u
#define KMQ_REC_USER_FLAGS	0x00000000u	/* none yet; others: EINVAL */
#define KMQ_REC_KERNEL_FLAGS	0xffff0000u
/* uid and gid are those of whoever opened the handle, as write(2) stamps */
#define KMQ_REC_OPENER		0x00010000u

/**
 * struct kmq_record_attr - one attribute of a record
 * @type: KMQ_ATTR_*
 * @len: bytes of the value, which follows and is padded to a multiple of 8
 * @reserved: 0
 */
struct kmq_record_attr {
	__u16 type;
	__u16 len;
	__u32 reserved;
};

#define KMQ_ATTR_KEY		1	/* any bytes, 1..KMQ_KEY_MAX; at most one */
#define KMQ_ATTR_HEADER		2	/* name, NUL, value; name 1..255 bytes */
#define KMQ_KEY_MAX		1024

/* Kinds of object */
#define KMQ_KIND_QUEUE		1

/* What a full queue does with a send */
#define KMQ_OVERFLOW_BLOCK	0	/* senders wait their turn (default) */
#define KMQ_OVERFLOW_REJECT	1	/* EAGAIN even to a blocking sender */
#define KMQ_OVERFLOW_DROP_HEAD	2	/* oldest of the lowest priority goes */

/**
 * struct kmq_attrs - the attributes of an object
 * @size: sizeof(struct kmq_attrs)
 * @flags: 0
 * @mask: KMQ_A_* of the fields that hold a value; others take the default
 *	(CREATE), stay as they are (ALTER), or are not reported (STAT)
 * @kind: KMQ_KIND_*, fixed at creation
 * @mode: permission bits, 0..0777: r to receive, w to send, x means nothing.
 *	Default 0660 & ~umask; an explicit mode is taken as it is.
 * @uid: owner, in the caller's user namespace. Default: the creator.
 * @gid: group, likewise
 * @overflow: KMQ_OVERFLOW_*
 * @max_message_size: bytes of a body, 1..KMQ_MESSAGE_MAX, default 256 KiB
 * @max_messages: queued messages, 1..2^31-1, default 8192
 * @max_bytes: queued record bytes, default 16 MiB; at least one record of
 *	max_message_size must fit. Where only one of the two is given at
 *	creation, the other's default gives way.
 */
struct kmq_attrs {
	__u32 size;
	__u32 flags;
	__aligned_u64 mask;
	__u32 kind;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 overflow;
	__u32 max_message_size;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
};

#define KMQ_ATTRS_SIZE_VER0	56	/* first published */

#define KMQ_A_KIND		(1ull << 0)
#define KMQ_A_MODE		(1ull << 1)
#define KMQ_A_UID		(1ull << 2)
#define KMQ_A_GID		(1ull << 3)
#define KMQ_A_OVERFLOW		(1ull << 4)
#define KMQ_A_MAX_MESSAGE_SIZE	(1ull << 5)
#define KMQ_A_MAX_MESSAGES	(1ull << 6)
#define KMQ_A_MAX_BYTES		(1ull << 7)
#define KMQ_A_ALL		0xffull

/**
 * struct kmq_info_args - what this kernel offers, and where one is
 * @size: sizeof(struct kmq_info_args)
 * @flags: 0
 * @features: KMQ_FEATURE_*
 * @instance: random id of this loading of the module
 * @netns: inode number of the domain's network namespace, as
 *	/proc/self/ns/net shows it
 * @attrs: KMQ_A_* that this kernel knows
 * @max_message_size: hard limit of a body
 * @max_attr_len: hard limit of one record's attributes
 * @max_xfer: most bytes taken from one buffer
 * @max_name: hard limit of a name
 * @default_messages: max_messages of a queue that names none
 * @default_bytes: max_bytes of a queue that names none
 * @default_message_size: max_message_size of a queue that names none
 * @reserved: 0
 * @version: version of the module, NUL-terminated
 *
 * All fields but size and flags are set by the kernel.
 */
struct kmq_info_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 features;
	__aligned_u64 instance;
	__aligned_u64 netns;
	__aligned_u64 attrs;
	__u32 max_message_size;
	__u32 max_attr_len;
	__u32 max_xfer;
	__u32 max_name;
	__aligned_u64 default_messages;
	__aligned_u64 default_bytes;
	__u32 default_message_size;
	__u32 reserved;
	__u8 version[32];
};

#define KMQ_INFO_ARGS_SIZE_VER0	112	/* first published */

#define KMQ_FEATURE_QUEUE	(1ull << 0)	/* queues, records, XFER */
#define KMQ_FEATURE_WATERMARK	(1ull << 1)	/* min_records, linger_until */

/**
 * struct kmq_open_args - open an object, creating it if asked to
 * @size: sizeof(struct kmq_open_args)
 * @flags: KMQ_OPEN_*
 * @name: address of the name
 * @attrs: address of a struct kmq_attrs: what to create, or what is expected;
 *	0 for none
 * @name_len: bytes of the name, without a NUL
 * @owner: with KMQ_OPEN_OWNER, the uid the object must belong to (else EPERM)
 * @id: 0, or the object id expected (else ESTALE); out: the object's id
 * @differs: out: KMQ_A_* of each attribute asked for that the existing
 *	object does not have
 * @bad: out: with EINVAL, KMQ_A_* of the attribute at fault, 0 if another field
 * @created: out: 1 if this call created it
 * @reserved: 0
 *
 * Returns a new close-on-exec fd. Finding and creating are one atomic step.
 * With neither SEND nor RECV the handle only keeps the object and answers STAT;
 * that takes ownership, r or w.
 * An object that exists is never changed.
 */
struct kmq_open_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__aligned_u64 attrs;
	__u32 name_len;
	__u32 owner;
	__aligned_u64 id;
	__aligned_u64 differs;
	__aligned_u64 bad;
	__u32 created;
	__u32 reserved;
};

#define KMQ_OPEN_ARGS_SIZE_VER0	64	/* first published */

#define KMQ_OPEN_SEND		0x0001u	/* needs w */
#define KMQ_OPEN_RECV		0x0002u	/* needs r; messages taken are gone */
#define KMQ_OPEN_RECORDS	0x0004u	/* read and write carry records */
#define KMQ_OPEN_NONBLOCK	0x0008u	/* as O_NONBLOCK; fcntl changes it */
#define KMQ_OPEN_CREATE		0x0010u	/* create what does not exist */
#define KMQ_OPEN_EXCL		0x0020u	/* with CREATE: EEXIST if it exists */
#define KMQ_OPEN_MATCH		0x0040u	/* EEXIST if an attribute differs */
#define KMQ_OPEN_FOREIGN_OK	0x0080u	/* CREATE may adopt anybody's object */
#define KMQ_OPEN_OWNER		0x0100u	/* EPERM unless owned by @owner */
#define KMQ_OPEN_FLAGS		0x01ffu

/**
 * struct kmq_alter_args - change attributes of an object in use
 * @size: sizeof(struct kmq_alter_args)
 * @flags: 0
 * @name: address of the name
 * @attrs: address of a struct kmq_attrs; its mask says what to change
 * @name_len: bytes of the name
 * @reserved: 0
 * @id: 0, or the object id expected (else ESTALE)
 * @bad: out: with EINVAL or EPERM, KMQ_A_* of the attribute at fault
 *
 * All or nothing. A bound below the present use is kept for new sends: what
 * is queued stays. Raising one lets blocked senders go on.
 */
struct kmq_alter_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__aligned_u64 attrs;
	__u32 name_len;
	__u32 reserved;
	__aligned_u64 id;
	__aligned_u64 bad;
};

#define KMQ_ALTER_ARGS_SIZE_VER0	48	/* first published */

/**
 * struct kmq_delete_args - delete an object, or only its name
 * @size: sizeof(struct kmq_delete_args)
 * @flags: KMQ_DELETE_*
 * @name: address of the name
 * @name_len: bytes of the name
 * @reserved: 0
 * @id: 0, or the object id expected (else ESTALE)
 */
struct kmq_delete_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_len;
	__u32 reserved;
	__aligned_u64 id;
};

#define KMQ_DELETE_ARGS_SIZE_VER0	32	/* first published */

/* The name goes, open handles work on, the object ends with the last one */
#define KMQ_DELETE_UNLINK	0x0001u
#define KMQ_DELETE_IF_EMPTY	0x0002u	/* else ENOTEMPTY */
#define KMQ_DELETE_IF_UNUSED	0x0004u	/* no open handle, else EBUSY */
#define KMQ_DELETE_FLAGS	0x0007u

/**
 * struct kmq_stat_args - an object's attributes and counters
 * @size: sizeof(struct kmq_stat_args)
 * @flags: 0
 * @name: address of the name (control fd); 0 on a handle: its object
 * @attrs: address of a struct kmq_attrs to fill, or 0
 * @name_len: bytes of the name; 0 on a handle
 * @state: KMQ_STATE_*
 * @id: in: 0 or the id expected (else ESTALE); out: object id, never reused
 * @created: ns of CLOCK_REALTIME
 * @next_seq: seq the next message will get
 * @ready: messages that can be received now
 * @bytes: record bytes queued, what max_bytes bounds
 * @memory: bytes of kernel memory pinned by them
 * @head_time: when the message that is next to leave was sent; 0 if none
 * @handles: open handles
 * @senders: of these, opened to send
 * @receivers: of these, opened to receive
 * @waiting_senders: calls blocked in a send
 * @waiting_receivers: calls blocked in a receive
 * @reserved: 0
 * @sent: messages accepted
 * @sent_bytes: record bytes accepted
 * @received: messages handed over
 * @received_bytes: record bytes handed over
 * @dropped_full: messages lost to drop-head
 * @dropped_purged: messages purged
 * @refused_full: sends that met a full queue and were refused (EAGAIN)
 * @blocked: sends that had to wait for room; one that is restarted after a signal
 *           and has to wait again counts again
 * @blocked_ns: how long they waited together
 *
 * All but the first six fields and @id are set by the kernel only.
 */
struct kmq_stat_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__aligned_u64 attrs;
	__u32 name_len;
	__u32 state;
	__aligned_u64 id;
	__aligned_u64 created;
	__aligned_u64 next_seq;
	__aligned_u64 ready;
	__aligned_u64 bytes;
	__aligned_u64 memory;
	__aligned_u64 head_time;
	__u32 handles;
	__u32 senders;
	__u32 receivers;
	__u32 waiting_senders;
	__u32 waiting_receivers;
	__u32 reserved;
	__aligned_u64 sent;
	__aligned_u64 sent_bytes;
	__aligned_u64 received;
	__aligned_u64 received_bytes;
	__aligned_u64 dropped_full;
	__aligned_u64 dropped_purged;
	__aligned_u64 refused_full;
	__aligned_u64 blocked;
	__aligned_u64 blocked_ns;
};

#define KMQ_STAT_ARGS_SIZE_VER0	184	/* first published */

#define KMQ_STATE_SEALED	0x0001u
#define KMQ_STATE_UNLINKED	0x0002u	/* no name any more */

/**
 * struct kmq_list_args - rows about what is in the domain
 * @size: sizeof(struct kmq_list_args)
 * @flags: 0
 * @what: KMQ_LIST_*
 * @row_size: bytes of a row in the caller's buffer: the size of the row
 *	structure the caller was built with. Longer: the tail is zero.
 *	Shorter: the row is cut.
 * @name: address of an object's name to list only what belongs to it
 *	(HANDLES), or 0
 * @rows: address of the buffer
 * @name_len: bytes of the name
 * @count: in: rows the buffer holds, 1..KMQ_LIST_MAX; out: rows filled
 * @cursor: in: 0 to start, else what the last call left; out: where to go on
 *
 * Rows come in ascending id. What exists from the first call to the last is
 * listed exactly once, whatever others create and delete in between. The list
 * is at its end when fewer rows than asked for come back.
 */
struct kmq_list_args {
	__u32 size;
	__u32 flags;
	__u32 what;
	__u32 row_size;
	__aligned_u64 name;
	__aligned_u64 rows;
	__u32 name_len;
	__u32 count;
	__aligned_u64 cursor;
};

#define KMQ_LIST_ARGS_SIZE_VER0	48	/* first published */

#define KMQ_LIST_OBJECTS	1	/* struct kmq_object_row */
#define KMQ_LIST_HANDLES	2	/* struct kmq_handle_row */
#define KMQ_LIST_MAX		1024

/**
 * struct kmq_object_row - one object
 * @id: object id
 * @kind: KMQ_KIND_*
 * @state: KMQ_STATE_*
 * @mode: permission bits
 * @uid: owner, in the reader's user namespace
 * @gid: group, likewise
 * @overflow: KMQ_OVERFLOW_*
 * @max_message_size: bytes of a body
 * @handles: open handles
 * @senders: of these, opened to send
 * @receivers: of these, opened to receive
 * @waiting_senders: calls blocked in a send
 * @waiting_receivers: calls blocked in a receive
 * @max_messages: bound
 * @max_bytes: bound
 * @ready: messages that can be received now
 * @bytes: record bytes queued
 * @memory: bytes of kernel memory pinned by them
 * @sent: messages accepted
 * @received: messages handed over
 * @dropped: messages lost to drop-head or purged
 * @refused_full: sends refused because it was full
 * @created: ns of CLOCK_REALTIME
 * @name_len: bytes of @name
 * @reserved: 0
 * @name: NUL-terminated
 */
struct kmq_object_row {
	__aligned_u64 id;
	__u32 kind;
	__u32 state;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 overflow;
	__u32 max_message_size;
	__u32 handles;
	__u32 senders;
	__u32 receivers;
	__u32 waiting_senders;
	__u32 waiting_receivers;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
	__aligned_u64 ready;
	__aligned_u64 bytes;
	__aligned_u64 memory;
	__aligned_u64 sent;
	__aligned_u64 received;
	__aligned_u64 dropped;
	__aligned_u64 refused_full;
	__aligned_u64 created;
	__u32 name_len;
	__u32 reserved;
	__u8 name[256];
};

/**
 * struct kmq_handle_row - one open handle
 * @id: handle id, never reused
 * @object: id of its object
 * @flags: KMQ_OPEN_SEND, RECV, RECORDS as opened
 * @state: KMQ_HANDLE_*
 * @pid: process that opened it, in the reader's pid namespace (0: invisible)
 * @uid: user that opened it, in the reader's user namespace
 * @last_pid: process that received through it last or, if none did, sent
 * @reserved: 0
 * @opened: ns of CLOCK_REALTIME
 * @waiting_since: ns of CLOCK_REALTIME, to a tick, when the call that waits
 *	longest in it came; 0: none
 * @sent: messages sent through it
 * @received: messages received through it
 * @comm: name of the process that opened it, NUL-terminated
 * @last_comm: name of that process; empty when it has ended
 * @name_len: bytes of @name
 * @reserved2: 0
 * @name: the object's name, NUL-terminated
 *
 * Pids and names of processes are 0 and empty for a reader that neither may
 * receive from the object nor owns it.
 */
struct kmq_handle_row {
	__aligned_u64 id;
	__aligned_u64 object;
	__u32 flags;
	__u32 state;
	__u32 pid;
	__u32 uid;
	__u32 last_pid;
	__u32 reserved;
	__aligned_u64 opened;
	__aligned_u64 waiting_since;
	__aligned_u64 sent;
	__aligned_u64 received;
	__u8 comm[16];
	__u8 last_comm[16];
	__u32 name_len;
	__u32 reserved2;
	__u8 name[256];
};

#define KMQ_HANDLE_SENDING	0x0001u	/* a call waits for room */
#define KMQ_HANDLE_RECEIVING	0x0002u	/* a call waits for messages */
#define KMQ_HANDLE_SHUT_SEND	0x0004u
#define KMQ_HANDLE_SHUT_RECV	0x0008u

/* Resources that are limited, index of kmq_limits_args.r */
#define KMQ_R_OBJECTS		0
#define KMQ_R_HANDLES		1
#define KMQ_R_BYTES		2	/* kernel memory of messages */
#define KMQ_R_COUNT		3

/**
 * struct kmq_limit - one limit and its use
 * @limit: most that may be used
 * @used: in use now (bytes are drawn in steps of up to 64 KiB a handle)
 * @peak: most ever in use
 * @refused: requests refused because of it
 */
struct kmq_limit {
	__aligned_u64 limit;
	__aligned_u64 used;
	__aligned_u64 peak;
	__aligned_u64 refused;
};

/**
 * struct kmq_limits_args - read or set the limits of a user, domain or module
 * @size: sizeof(struct kmq_limits_args)
 * @flags: 0, or KMQ_LIMITS_SET: needs CAP_SYS_RESOURCE in the initial user
 *	namespace
 * @scope: KMQ_SCOPE_*
 * @uid: with KMQ_SCOPE_USER: whose, in the caller's user namespace
 * @set_mask: with KMQ_LIMITS_SET: bit n set = take r[n].limit
 * @reserved: 0
 * @r: indexed by KMQ_R_*
 */
struct kmq_limits_args {
	__u32 size;
	__u32 flags;
	__u32 scope;
	__u32 uid;
	__u32 set_mask;
	__u32 reserved;
	struct kmq_limit r[KMQ_R_COUNT];
};

#define KMQ_LIMITS_ARGS_SIZE_VER0	120	/* first published */

#define KMQ_LIMITS_SET		0x0001u
#define KMQ_SCOPE_MODULE	0
#define KMQ_SCOPE_DOMAIN	1
#define KMQ_SCOPE_USER		2

/**
 * struct kmq_admin_args - one administrative step
 * @size: sizeof(struct kmq_admin_args)
 * @flags: 0, or the operation's own (KMQ_RESET_*)
 * @name: address of the object's name, where the operation takes one
 * @name_len: bytes of the name
 * @op: KMQ_ADMIN_*
 * @id: 0, or the object id expected (else ESTALE)
 * @arg: the operation's own argument
 * @result: out: PURGE, RESET: how many messages / objects went
 */
struct kmq_admin_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_len;
	__u32 op;
	__aligned_u64 id;
	__aligned_u64 arg;
	__aligned_u64 result;
};

#define KMQ_ADMIN_ARGS_SIZE_VER0	48	/* first published */

/* End of stream: sends get EPIPE, receivers drain, then read returns 0 */
#define KMQ_ADMIN_SEAL		1
#define KMQ_ADMIN_UNSEAL	2
/* Drop what is ready now; what comes meanwhile stays */
#define KMQ_ADMIN_PURGE		3
/* On a handle: arg = KMQ_OPEN_SEND | KMQ_OPEN_RECV. Present and later calls of
 * that direction get ECANCELED. Final, and for all who share the handle.
 */
#define KMQ_ADMIN_SHUTDOWN	4
/* On a control fd: arg = fd of a network namespace; use that one's domain.
 * Needs CAP_SYS_ADMIN there and in the caller's own user namespace.
 */
#define KMQ_ADMIN_JOIN		5
/* Delete every object of the domain (CAP_SYS_ADMIN over the domain) */
#define KMQ_ADMIN_RESET		6
/* ... of all domains (CAP_SYS_ADMIN in the initial user namespace) */
#define KMQ_RESET_ALL_DOMAINS	0x0001u

/**
 * struct kmq_xfer_args - send a batch, then receive one, in a single call
 * @size: sizeof(struct kmq_xfer_args)
 * @flags: KMQ_XFER_*
 * @send: address of packed records to send, or 0
 * @recv: address of the buffer to receive packed records, or 0
 * @send_len: bytes at @send; 0 sends nothing
 * @recv_len: bytes at @recv; 0 receives nothing
 * @deadline: ns of CLOCK_MONOTONIC until which the call may wait;
 *	0: do not wait; KMQ_FOREVER: no end
 * @linger_until: ns of CLOCK_MONOTONIC until which the receive insists on
 *	@min_records; afterwards one is enough. 0: insist until the deadline.
 * @max_records: most records to receive; 0: as many as fit
 * @min_records: records worth returning for; 0 and 1: any. A full or sealed
 *	queue is worth it too. Ask for no more than fit in @recv_len.
 * @send_fd: handle to send on, or -1: this one
 * @settle_count: 0
 * @settle: 0
 * @sent: out: records accepted, always the first ones of the buffer
 * @received: out: records in @recv
 * @sent_bytes: out: bytes these took
 * @received_bytes: out: bytes these take
 * @send_err: out: 0, or the negative errno that ended the send
 * @recv_err: out: 0, or the negative errno that ended the receive
 * @needed: out: with recv_err -EMSGSIZE, bytes the next record takes
 * @error_at: out: with send_err -EINVAL or -EMSGSIZE, byte offset in @send of
 *	the record (or attribute) at fault
 * @last_seq: out: seq of the last record accepted
 *
 * The send goes first. Nothing of it is taken when any of its records is
 * malformed. Under @deadline both parts wait, the receive after the send. When
 * the send stops early the receive is not tried, unless KMQ_XFER_RECV_ANYWAY.
 * Once a record was accepted or handed over the call returns 0 and the two
 * results tell the rest; else it fails with the error of the part that ended
 * it, and the results say the same. It is never restarted after the send did
 * anything: a signal then shows as -EINTR in recv_err.
 * A receive with nothing left in a sealed queue ends with recv_err 0 and
 * received 0.
 */
struct kmq_xfer_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 send;
	__aligned_u64 recv;
	__u32 send_len;
	__u32 recv_len;
	__aligned_u64 deadline;
	__aligned_u64 linger_until;
	__u32 max_records;
	__u32 min_records;
	__s32 send_fd;
	__u32 settle_count;
	__aligned_u64 settle;
	__u32 sent;
	__u32 received;
	__u32 sent_bytes;
	__u32 received_bytes;
	__s32 send_err;
	__s32 recv_err;
	__u32 needed;
	__u32 error_at;
	__aligned_u64 last_seq;
};

#define KMQ_XFER_ARGS_SIZE_VER0	112	/* first published */

/* Send all records or none: at most KMQ_ATOMIC_MAX and KMQ_XFER_MAX bytes (else
 * EMSGSIZE); EOPNOTSUPP on a drop-head queue, where nothing is ever refused.
 */
#define KMQ_XFER_ATOMIC		0x0001u
#define KMQ_XFER_RECV_ANYWAY	0x0002u	/* receive even if the send fell short */
/* Receive one message as header and body alone: 64 + body_len bytes, without
 * attributes and padding. @needed counts like that too.
 */
#define KMQ_XFER_BODY		0x0004u
#define KMQ_XFER_FLAGS		0x0007u
#define KMQ_ATOMIC_MAX		1024u	/* most records of an atomic send */

#define KMQ_FOREVER		(~0ull)

/*
 * Requests. Number space: 0xBC 0x00-0x3F. The size in a request number is that
 * of the structure the caller was built with; the kernel goes by the number
 * and by the structure's own size field.
 */
#define KMQ_IOC_MAGIC	0xBC
#define KMQ_IOC_INFO	_IOWR(KMQ_IOC_MAGIC, 0x00, struct kmq_info_args)
#define KMQ_IOC_OPEN	_IOWR(KMQ_IOC_MAGIC, 0x01, struct kmq_open_args)
#define KMQ_IOC_ALTER	_IOWR(KMQ_IOC_MAGIC, 0x02, struct kmq_alter_args)
#define KMQ_IOC_DELETE	_IOWR(KMQ_IOC_MAGIC, 0x03, struct kmq_delete_args)
#define KMQ_IOC_STAT	_IOWR(KMQ_IOC_MAGIC, 0x04, struct kmq_stat_args)
#define KMQ_IOC_LIST	_IOWR(KMQ_IOC_MAGIC, 0x05, struct kmq_list_args)
#define KMQ_IOC_LIMITS	_IOWR(KMQ_IOC_MAGIC, 0x06, struct kmq_limits_args)
#define KMQ_IOC_ADMIN	_IOWR(KMQ_IOC_MAGIC, 0x07, struct kmq_admin_args)
#define KMQ_IOC_XFER	_IOWR(KMQ_IOC_MAGIC, 0x10, struct kmq_xfer_args)

#endif /* _UAPI_LINUX_KMQ_H */
