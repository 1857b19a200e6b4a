package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// listen looks, in a goroutine of its own and until the session ends, for what changes
// outside of the bot: a configuration that was saved, wishes left at other replicas. A
// poke makes it look at once.
func (r *run) listen() {
	timer := time.NewTimer(beatOfWishes)
	defer timer.Stop()
	for {
		select {
		case <-r.acting.Done():
			return
		case <-r.bot.poked:
		case <-timer.C:
		}
		r.noticeConfiguration()
		r.noticeWishes()
		timer.Reset(beatOfWishes)
	}
}

// tellOwner has the owner goroutine do something; false where the session has ended.
func (r *run) tellOwner(f func()) bool {
	select {
	case r.bot.commands <- f:
		return true
	case <-r.acting.Done():
		return false
	}
}

// noticeConfiguration passes on a configuration, so that a shorter interval counts
// during a long wait too.
func (r *run) noticeConfiguration() {
	ctx, cancel := context.WithTimeout(r.acting, patienceRead)
	defer cancel()
	c, err := r.bot.records.Configuration(ctx, r.bot.account)
	if err == nil {
		r.tellOwner(func() { r.useConfiguration(c) })
	}
}

// noticeWishes grants what users asked for at other replicas.
func (r *run) noticeWishes() {
	if r.bot.wishes == nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.acting, patienceRead)
	defer cancel()
	wishes, err := r.bot.wishes.Wishes(ctx, r.bot.account)
	if err != nil {
		return // They wait, and are asked for again in a moment.
	}
	for _, w := range wishes {
		if !r.tellOwner(func() { r.bot.grant(w) }) {
			return
		}
		r.putAway(w)
	}
}

// putAway does away with a wish that was granted, also where that has ended the session.
func (r *run) putAway(w app.Wish) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.acting), patienceSave)
	defer cancel()
	if err := r.bot.wishes.Granted(ctx, w); err != nil {
		r.bot.log.Debug("a wish could not be put away", "error", err)
	}
}

// grant does what is wished for; that it cannot be done is only worth a line.
func (b *Bot) grant(w app.Wish) {
	ignore := func(error) {}
	var err error
	switch w.Kind {
	case app.WishStop, app.WishReset:
		b.stopNow(ignore)
	case app.WishPause:
		err = b.setPaused(true)
	case app.WishResume:
		err = b.setPaused(false)
	case app.WishRearm:
		err = b.rearmNow()
	case app.WishAccept:
		err = b.answerNow(w.Number, AnswerAccept)
	case app.WishLeave:
		err = b.answerNow(w.Number, AnswerLeave)
	case app.WishAsk:
		err = b.answerNow(w.Number, AnswerNone)
	}
	if err != nil {
		b.log.Warn("a wish from another replica could not be granted", "wish", w.Kind, "error", err)
	}
}

// dropWishes puts away what was wished for before the user began this session.
func (r *run) dropWishes() {
	b := r.bot
	if b.wishes == nil {
		return
	}
	_, err := read(r.acting, b, func(ctx context.Context) (struct{}, error) {
		wishes, err := b.wishes.Wishes(ctx, b.account)
		for _, w := range wishes {
			err = b.wishes.Granted(ctx, w)
		}
		return struct{}{}, err
	})
	if err != nil {
		b.log.Warn("old wishes could not be put away", "error", err)
	}
}
