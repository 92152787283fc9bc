/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CORE_ACCOUNT_H
#define KMQ_CORE_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/kmq.h>

/**
 * DOC: limits, charges and credit
 *
 * An account counts what one user, one domain or the module uses of each
 * resource (KMQ_R_*), against a limit. A payer is the set of accounts that one
 * opener charges together: all of them must agree.
 *
 * The memory of messages is charged through a credit: each handle draws bytes
 * from its payer in steps of KMQ_CREDIT_STEP and spends them on its messages;
 * freed messages pay back into the credit they came from. So the shared
 * counters are touched once per step, not once per message.
 *
 * Nothing here is guarded by a lock: all counters are atomic, and a limit may
 * be changed at any time (it is read once per charge). A credit lives from the
 * opening of its handle until the handle is closed and the last message it
 * paid for is freed. After kmq_credit_close() it keeps nothing back.
 */

#define KMQ_CREDIT_STEP (64 * 1024L)

/**
 * struct kmq_account - use of each resource by one user, domain or module
 * @defaults: limits that hold where @limit says so; may change at any time
 * @limit: most that may be used; negative: as @defaults says
 * @used: in use
 * @peak: most ever in use
 * @refused: charges refused because of the limit
 */
struct kmq_account {
	const unsigned long *defaults;
	atomic_long_t limit[KMQ_R_COUNT];
	atomic_long_t used[KMQ_R_COUNT];
	atomic_long_t peak[KMQ_R_COUNT];
	atomic_long_t refused[KMQ_R_COUNT];
};

/**
 * struct kmq_payer - the accounts that are charged together
 * @user: the user's, or NULL
 * @domain: the domain's, or NULL
 * @module: the module's
 * @exempt: only the module's limit binds; the others still count
 *
 * Whoever holds a payer holds references on what the accounts live in.
 */
struct kmq_payer {
	struct kmq_account *user;
	struct kmq_account *domain;
	struct kmq_account *module;
	bool exempt;
};

/**
 * struct kmq_credit - bytes drawn in advance by one handle
 * @refs: the handle and each of its senders
 * @avail: bytes drawn and not spent; below zero only for a moment
 * @closed: the handle is gone: pay back at once
 * @payer: who is charged
 * @release: frees the credit; called once, in process context
 */
struct kmq_credit {
	refcount_t refs;
	bool closed;
	atomic_long_t avail;
	struct kmq_payer payer;
	void (*release)(struct kmq_credit *credit);
};

void kmq_account_init(struct kmq_account *acc, const unsigned long *defaults);
long kmq_account_limit(const struct kmq_account *acc, unsigned int res);
int kmq_charge(const struct kmq_payer *payer, unsigned int res, long n);
void kmq_uncharge(const struct kmq_payer *payer, unsigned int res, long n);

void kmq_credit_init(struct kmq_credit *credit, const struct kmq_payer *payer,
		     void (*release)(struct kmq_credit *credit));
int kmq_credit_refill(struct kmq_credit *credit, long bytes, long short_by);
void kmq_credit_return(struct kmq_credit *credit);
void kmq_credit_close(struct kmq_credit *credit);
void kmq_credit_put(struct kmq_credit *credit);

/**
 * kmq_credit_spend() - pay for a message
 * @credit: the sending handle's credit
 * @bytes: memory of the message
 *
 * Context: any; takes no lock.
 * Return: 0, or -EDQUOT or -ENOBUFS as kmq_charge().
 */
static inline int kmq_credit_spend(struct kmq_credit *credit, long bytes)
{
	long left = atomic_long_sub_return(bytes, &credit->avail);

	if (likely(left >= 0))
		return 0;
	return kmq_credit_refill(credit, bytes, -left);
}

/**
 * kmq_credit_refund() - take back what a freed message had paid
 * @credit: the credit it was paid from
 * @bytes: what kmq_credit_spend() was called with
 *
 * Context: any; takes no lock.
 */
static inline void kmq_credit_refund(struct kmq_credit *credit, long bytes)
{
	long left = atomic_long_add_return(bytes, &credit->avail);

	if (unlikely(left > 2 * KMQ_CREDIT_STEP || READ_ONCE(credit->closed)))
		kmq_credit_return(credit);
}

#endif
