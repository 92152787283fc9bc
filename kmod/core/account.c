// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/kernel.h>

#include "account.h"

/**
 * kmq_account_init() - start an account at zero use
 * @acc: the account
 * @defaults: one limit per resource, indexed by KMQ_R_*; must outlive @acc
 */
void kmq_account_init(struct kmq_account *acc, const unsigned long *defaults)
{
	unsigned int i;

	acc->defaults = defaults;
	for (i = 0; i < KMQ_R_COUNT; i++) {
		atomic_long_set(&acc->limit[i], -1);
		atomic_long_set(&acc->used[i], 0);
		atomic_long_set(&acc->peak[i], 0);
		atomic_long_set(&acc->refused[i], 0);
	}
}

/**
 * kmq_account_limit() - the limit in force
 * @acc: the account
 * @res: KMQ_R_*
 */
long kmq_account_limit(const struct kmq_account *acc, unsigned int res)
{
	long limit = atomic_long_read(&acc->limit[res]);

	if (limit >= 0)
		return limit;
	return min_t(unsigned long, READ_ONCE(acc->defaults[res]), LONG_MAX);
}

static bool account_add(struct kmq_account *acc, unsigned int res, long n,
			bool exempt, bool count)
{
	long used;

	if (!acc)
		return true;

	used = atomic_long_add_return(n, &acc->used[res]);
	if (exempt || used <= kmq_account_limit(acc, res))
		return true;

	atomic_long_sub(n, &acc->used[res]);
	if (count)
		atomic_long_inc(&acc->refused[res]);
	return false;
}

static void account_peak(struct kmq_account *acc, unsigned int res)
{
	long used, peak;

	if (!acc)
		return;
	used = atomic_long_read(&acc->used[res]);
	peak = atomic_long_read(&acc->peak[res]);
	while (used > peak &&
	       !atomic_long_try_cmpxchg(&acc->peak[res], &peak, used))
		;
}

static void account_sub(struct kmq_account *acc, unsigned int res, long n)
{
	if (acc)
		atomic_long_sub(n, &acc->used[res]);
}

/* @count: a refusal is final, and counts as one */
static int charge(const struct kmq_payer *payer, unsigned int res, long n,
		  bool count)
{
	if (!account_add(payer->module, res, n, false, count))
		return -ENOBUFS;
	if (!account_add(payer->domain, res, n, payer->exempt, count))
		goto err_module;
	if (!account_add(payer->user, res, n, payer->exempt, count))
		goto err_domain;

	account_peak(payer->module, res);
	account_peak(payer->domain, res);
	account_peak(payer->user, res);
	return 0;

err_domain:
	account_sub(payer->domain, res, n);
err_module:
	account_sub(payer->module, res, n);
	return -EDQUOT;
}

/**
 * kmq_charge() - charge a resource to all accounts of a payer, or to none
 * @payer: who pays
 * @res: KMQ_R_*
 * @n: how much
 *
 * Context: any; takes no lock.
 * Return: 0; -ENOBUFS when the module's limit is reached; -EDQUOT when the
 * user's or the domain's is and the payer is not exempt.
 */
int kmq_charge(const struct kmq_payer *payer, unsigned int res, long n)
{
	return charge(payer, res, n, true);
}

/**
 * kmq_uncharge() - give back what kmq_charge() took
 * @payer: who paid
 * @res: KMQ_R_*
 * @n: how much
 *
 * Context: any; takes no lock.
 */
void kmq_uncharge(const struct kmq_payer *payer, unsigned int res, long n)
{
	account_sub(payer->user, res, n);
	account_sub(payer->domain, res, n);
	account_sub(payer->module, res, n);
}

/**
 * kmq_credit_init() - start an empty credit with one reference
 * @credit: the credit
 * @payer: who is charged; what it points to must outlive the credit
 * @release: frees @credit after the last reference went
 */
void kmq_credit_init(struct kmq_credit *credit, const struct kmq_payer *payer,
		     void (*release)(struct kmq_credit *credit))
{
	refcount_set(&credit->refs, 1);
	credit->closed = false;
	atomic_long_set(&credit->avail, 0);
	credit->payer = *payer;
	credit->release = release;
}

/**
 * kmq_credit_refill() - draw more, so that a message can be paid
 * @credit: the credit
 * @bytes: what the message costs; already taken from the credit
 * @short_by: how far below zero that went
 *
 * A full step if there is that much; near a limit just what is needed.
 *
 * Context: any; takes no lock.
 * Return: 0; or -EDQUOT or -ENOBUFS, and @bytes are back in the credit.
 */
int kmq_credit_refill(struct kmq_credit *credit, long bytes, long short_by)
{
	/* others may have overdrawn too: each draws for itself */
	long need = min(short_by, bytes), step = max(need, KMQ_CREDIT_STEP);
	int err;

	err = charge(&credit->payer, KMQ_R_BYTES, step, step == need);
	if (err && step > need) {
		step = need;
		err = charge(&credit->payer, KMQ_R_BYTES, step, true);
	}
	if (err)
		kmq_credit_refund(credit, bytes);
	else
		atomic_long_add(step, &credit->avail);
	return err;
}

/**
 * kmq_credit_return() - pay back what is more than an advance
 * @credit: the credit
 *
 * Context: any; takes no lock.
 */
void kmq_credit_return(struct kmq_credit *credit)
{
	long keep = READ_ONCE(credit->closed) ? 0 : KMQ_CREDIT_STEP;
	long left = atomic_long_read(&credit->avail);

	while (left > keep) {
		if (atomic_long_try_cmpxchg(&credit->avail, &left, keep)) {
			kmq_uncharge(&credit->payer, KMQ_R_BYTES, left - keep);
			break;
		}
	}
}

/**
 * kmq_credit_close() - the handle goes: keep no advance any more
 * @credit: its credit; the handle's reference is dropped
 */
void kmq_credit_close(struct kmq_credit *credit)
{
	WRITE_ONCE(credit->closed, true);
	/*
	 * Pairs with the atomic add in kmq_credit_refund(): either it sees
	 * closed, or its bytes are seen here.
	 */
	smp_mb();
	kmq_credit_return(credit);
	kmq_credit_put(credit);
}

/**
 * kmq_credit_put() - drop a reference; the last one pays everything back
 * @credit: the credit
 *
 * Context: process context.
 */
void kmq_credit_put(struct kmq_credit *credit)
{
	long left;

	if (!refcount_dec_and_test(&credit->refs))
		return;

	left = atomic_long_read(&credit->avail);
	WARN_ON_ONCE(left < 0);
	kmq_uncharge(&credit->payer, KMQ_R_BYTES, left);
	credit->release(credit);
}
