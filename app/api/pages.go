package api

import "sync"

// pages keeps encoded pages of the list of jobs for as long as nothing of the records has
// changed: phones ask for the same page again and again. Whether something has changed
// is asked of the records each time, so a page is never older than they are.
type pages struct {
	mu     sync.Mutex
	kept   map[JobFilter]keptPage
	bytes  int
	oldest []JobFilter // In the order in which they were kept.
}

type keptPage struct {
	revision int64
	body     []byte
	total    int64
	next     string
}

// What is kept is bounded: the first pages of some filters, not the whole history.
const (
	keptPages = 64
	keptBytes = 8 << 20
	keptLarge = 1 << 20
)

func newPages() *pages { return &pages{kept: map[JobFilter]keptPage{}} }

// find gives the page of f as it is at a revision of the records.
func (p *pages) find(f JobFilter, revision int64) (keptPage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	page, ok := p.kept[f]
	return page, ok && page.revision == revision
}

// keep keeps a page that was read when the records were at page.revision or later.
func (p *pages) keep(f JobFilter, page keptPage) {
	if len(page.body) > keptLarge {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.kept[f]; ok {
		if old.revision > page.revision {
			return
		}
		p.bytes -= len(old.body)
	} else {
		p.oldest = append(p.oldest, f)
	}
	p.kept[f] = page
	p.bytes += len(page.body)
	for len(p.kept) > keptPages || p.bytes > keptBytes {
		gone := p.oldest[0]
		p.oldest = append(p.oldest[:0], p.oldest[1:]...)
		p.bytes -= len(p.kept[gone].body)
		delete(p.kept, gone)
	}
}
