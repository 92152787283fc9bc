// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Failed calls in words: what was wrong and what to do about it. The kernel is
 * asked for the facts, as they are now; when it does not answer, the sentence
 * goes without them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"

/* One more sentence, with @name in front when there is one. */
static void about(struct explain *e, const char *with, const char *without)
{
	if (e->name)
		kmq__explain_add(e, "%s %s", e->name, with);
	else
		kmq__explain_add(e, "%s", without);
}

static void no_device(struct explain *e)
{
	char group[64];
	struct stat st;

	switch (-e->device) {
	case ENOENT:
		kmq__explain_add(e, KMQ_DEVICE " does not exist: the kmq module is not loaded, or this container was not given the device; load it with: sudo modprobe kmq");
		break;
	case ENXIO:
	case ENODEV:
		kmq__explain_add(e, "nothing is behind " KMQ_DEVICE ": the kmq module is not loaded; load it with: sudo modprobe kmq");
		break;
	case EACCES:
	case EPERM:
		if (stat(KMQ_DEVICE, &st) < 0) {
			kmq__explain_add(e, "no access to " KMQ_DEVICE);
			break;
		}
		kmq__explain_group(st.st_gid, group, sizeof(group));
		kmq__explain_add(e, "no access to " KMQ_DEVICE " (mode %04o)",
				 st.st_mode & 07777);
		if (st.st_gid)
			kmq__explain_add(e, ": join its group with: sudo usermod -aG %s USER, then log in again",
					 group);
		else
			kmq__explain_add(e, ": it belongs to group %s; the usual rule gives it to group kmq, see kmq(4)",
					 group);
		break;
	default:
		kmq__explain_add(e, "cannot open " KMQ_DEVICE ": ");
		kmq__explain_errno(e, e->device);
		break;
	}
}

static void explain_enoent(struct explain *e)
{
	struct kmq_info_args info;

	if (!e->name) {
		kmq__explain_add(e, "no such object");
		return;
	}
	kmq__explain_add(e, "no queue %s in this domain", e->name);
	if (!kmq_info(e->ctl, &info))
		kmq__explain_add(e, " (network namespace %" PRIu64 ")",
				 (uint64_t)info.netns);
	kmq__explain_add(e, "; create it with: kmqctl queue create %s", e->name);
}

/* What one triple of @mode lets its class do. */
static const char *rights(uint32_t mode, unsigned int shift)
{
	static const char *const words[] = { "do nothing", "send", "receive",
					     "receive and send" };

	return words[(mode >> (shift + 1)) & 3];
}

static int in_group(gid_t gid)
{
	gid_t groups[256];
	int i, n;

	if (getegid() == gid)
		return 1;
	n = getgroups(256, groups);
	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			return 1;
	return 0;
}

static void explain_eacces(struct explain *e)
{
	const char *as = "other";
	unsigned int shift = 0;
	char user[64], group[64];

	if (!kmq__explain_look(e)) {
		about(e, "does not allow it", "permission denied");
		return;
	}
	if (geteuid() == e->at.uid) {
		as = "owner";
		shift = 6;
	} else if (in_group(e->at.gid)) {
		as = "group";
		shift = 3;
	}
	kmq__explain_user(e->at.uid, user, sizeof(user));
	kmq__explain_group(e->at.gid, group, sizeof(group));
	kmq__explain_add(e, "%s belongs to %s:%s, mode %04o", e->name, user, group,
			 e->at.mode);
	if (((e->at.mode >> (shift + 1)) & 3) == 3) {
		/* Nothing is missing, so it was CREATE that refused. */
		kmq__explain_add(e, ": open-or-create does not take over what belongs to neither you nor root; open it without creating, or allow it with KMQ_OPEN_FOREIGN_OK");
		return;
	}
	kmq__explain_add(e, ": as %s you may %s (r is to receive, w to send); %s may allow more with: kmqctl queue alter %s --mode MODE",
			 as, rights(e->at.mode, shift), user, e->name);
}

static void explain_eperm(struct explain *e)
{
	char user[64];

	if (!kmq__explain_look(e)) {
		kmq__explain_add(e, "not allowed: limits need CAP_SYS_RESOURCE, another domain or a reset CAP_SYS_ADMIN over it");
		return;
	}
	kmq__explain_user(e->at.uid, user, sizeof(user));
	kmq__explain_add(e, "%s belongs to %s: only its owner, or CAP_SYS_ADMIN over the domain, may do this",
			 e->name, user);
	if (e->detail & (KMQ_A_UID | KMQ_A_GID))
		kmq__explain_add(e, "; an owner may give it to groups of his own, not to another user");
}

static void waiting_for(struct explain *e)
{
	kmq__explain_add(e, " (%" PRIu64 " messages, %u consumer%s)",
			 (uint64_t)e->st.ready, e->st.receivers,
			 e->st.receivers == 1 ? "" : "s");
}

/* EAGAIN and ETIMEDOUT tell that one of two things is so; STAT tells which. */
static void explain_full_or_empty(struct explain *e)
{
	const struct kmq_stat_args *st = &e->st;
	const struct kmq_attrs *at = &e->at;
	const char *late = e->err == -ETIMEDOUT ? "timed out: " : "";

	if (!kmq__explain_look(e)) {
		kmq__explain_add(e, "%s", e->err == -ETIMEDOUT ? "timed out" :
				 "would have to wait: full (send) or empty (receive)");
		return;
	}
	if (st->ready >= at->max_messages) {
		kmq__explain_add(e, "%s%s is full", late, e->name);
		waiting_for(e);
	} else if (st->bytes + KMQ__RECORD_HEAD + at->max_message_size >
		   at->max_bytes) {
		kmq__explain_add(e, "%s%s is full (%" PRIu64 " of %" PRIu64 " bytes, %u consumer%s)",
				 late, e->name, (uint64_t)st->bytes,
				 (uint64_t)at->max_bytes, st->receivers,
				 st->receivers == 1 ? "" : "s");
	} else if (!st->ready) {
		kmq__explain_add(e, "%s%s is empty (%u sender%s)", late, e->name,
				 st->senders, st->senders == 1 ? "" : "s");
	} else {
		kmq__explain_add(e, "%s%s was full or empty a moment ago; now it holds",
				 late, e->name);
		kmq__explain_add(e, " %" PRIu64 " of %" PRIu64 " messages",
				 (uint64_t)st->ready, (uint64_t)at->max_messages);
	}
}

static void explain_eexist(struct explain *e)
{
	about(e, "exists already", "it exists already");
	if (!e->detail)
		return;
	kmq__explain_add(e, " and differs in ");
	kmq__explain_attrs(e, e->detail, kmq__explain_look(e));
	kmq__explain_add(e, "; change it with: kmqctl queue alter %s",
			 e->name ? e->name : "NAME");
}

static void explain_emsgsize(struct explain *e)
{
	if (!kmq__explain_look(e)) {
		kmq__explain_add(e, "message too large for the queue, or for the buffer it was to be received in");
		return;
	}
	kmq__explain_add(e, "too large: %s takes messages of up to %u bytes (kmqctl queue alter %s --max-msg-size BYTES changes that); if this was a receive, the buffer is smaller than the next message, which stays queued",
			 e->name, e->at.max_message_size, e->name);
}

static void explain_ebusy(struct explain *e)
{
	if (!kmq__explain_look(e)) {
		about(e, "is in use", "in use");
		return;
	}
	kmq__explain_add(e, "%s is in use: %u open handle%s; kmqctl who %s tells whose",
			 e->name, e->st.handles, e->st.handles == 1 ? "" : "s",
			 e->name);
}

static void explain_enotempty(struct explain *e)
{
	if (!kmq__explain_look(e)) {
		about(e, "still holds messages", "it still holds messages");
		return;
	}
	kmq__explain_add(e, "%s still holds %" PRIu64 " message%s; drop them with: kmqctl queue purge %s",
			 e->name, (uint64_t)e->st.ready, e->st.ready == 1 ? "" : "s",
			 e->name);
}

static void explain_eopnotsupp(struct explain *e)
{
	struct kmq_info_args info;

	kmq__explain_add(e, "not offered");
	if (!kmq_info(e->ctl, &info))
		kmq__explain_add(e, " by kmq %.*s, the version loaded",
				 (int)sizeof(info.version),
				 (const char *)info.version);
	kmq__explain_add(e, ", or not on this kind of object (an atomic send: not on a drop-head queue)");
}

static void explain_other(struct explain *e)
{
	switch (-e->err) {
	case EPIPE:
		about(e, "is sealed: it takes no more messages",
		      "sealed: no more messages are taken");
		kmq__explain_add(e, "; open it again with: kmqctl queue unseal %s",
				 e->name ? e->name : "NAME");
		break;
	case ENODATA:
		about(e, "is sealed and drained: nothing more will come",
		      "end of stream: the queue is sealed and drained");
		break;
	case EIDRM:
		about(e, "was deleted while it was in use, or its network namespace ended",
		      "the queue was deleted while it was in use, or its network namespace ended");
		break;
	case ENXIO:
		kmq__explain_add(e, "the network namespace of this control fd has ended, and its queues with it");
		break;
	case ECANCELED:
		kmq__explain_add(e, "the handle was shut down for this direction; open another one");
		break;
	case EBADF:
		kmq__explain_add(e, "the handle was not opened for this direction (KMQ_OPEN_SEND, KMQ_OPEN_RECV), or it is closed");
		break;
	case ENOTTY:
		kmq__explain_add(e, "this file descriptor is no kmq %s",
				 e->name ? "control fd" : "handle or control fd");
		break;
	case EINTR:
		kmq__explain_add(e, "interrupted by a signal; nothing was done");
		break;
	case EFAULT:
		kmq__explain_add(e, "bad address; nothing was taken or lost");
		break;
	case E2BIG:
		kmq__explain_add(e, "the program asks for more than the loaded kmq module knows: load a newer one");
		break;
	case EPROTOTYPE:
		about(e, "exists and is of another kind",
		      "the object exists and is of another kind");
		break;
	case ESTALE:
		about(e, "was deleted and created anew since: it is another object now",
		      "the name stands for another object now");
		break;
	case EBADMSG:
		kmq__explain_add(e, "malformed record: the buffer does not hold what a kmq handle gives");
		break;
	default:
		kmq__explain_errno(e, e->err);
		break;
	}
}

static void explain(struct explain *e)
{
	/* An error of opening the device explains more than one of the call. */
	if (e->device < 0 && (e->device == e->err || !e->name)) {
		no_device(e);
		return;
	}
	switch (-e->err) {
	case ENOENT:
		explain_enoent(e);
		break;
	case EACCES:
		explain_eacces(e);
		break;
	case EPERM:
		explain_eperm(e);
		break;
	case EAGAIN:
	case ETIMEDOUT:
		explain_full_or_empty(e);
		break;
	case EDQUOT:
		kmq__explain_limit(e, KMQ_SCOPE_USER);
		break;
	case ENOBUFS:
		kmq__explain_limit(e, KMQ_SCOPE_MODULE);
		break;
	case EINVAL:
		kmq__explain_einval(e);
		break;
	case EEXIST:
		explain_eexist(e);
		break;
	case EMSGSIZE:
		explain_emsgsize(e);
		break;
	case EBUSY:
		explain_ebusy(e);
		break;
	case ENOTEMPTY:
		explain_enotempty(e);
		break;
	case EOPNOTSUPP:
		explain_eopnotsupp(e);
		break;
	default:
		explain_other(e);
		break;
	}
}

int kmq_explain(int ctl, const char *name, int err, uint64_t detail,
		char *text, size_t size)
{
	struct explain e = {
		.ctl = ctl,
		.name = name,
		.err = err > 0 ? -err : err,
		.detail = detail,
		.text = text,
		.size = text ? size : 0,
	};
	int saved = errno;

	if (e.size)
		text[0] = '\0';
	if (ctl == -1) {
		e.ctl = kmq_ctl_open(-1);
		if (e.ctl < 0)
			e.device = e.ctl;
	}
	if (!e.err)
		kmq__explain_add(&e, "no error");
	else
		explain(&e);
	if (ctl == -1 && e.ctl >= 0)
		kmq__close(e.ctl);
	errno = saved;
	return (int)e.len;
}
