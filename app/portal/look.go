package portal

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// lastLook is what the look before has read.
type lastLook struct {
	pages    []*boardPage
	jobs     []app.Job
	complete bool
	asRead   bool // Its jobs are those of the pages as they were read, tokens and all.
	zone     *time.Location
}

// Look reads the board, over all its pages within reason. The error is an
// [app.PageError] for anything that is no board. Where a later page could not be read,
// the board is what was read of it, and not complete; but a page that says that we are
// logged out, are to stay away for a while, or are to prove ourselves, is an error
// wherever it comes.
func (c *Client) Look(ctx context.Context) (app.Board, error) {
	c.looking.Lock()
	defer c.looking.Unlock()
	zone := c.zone.Load()
	if c.last.zone != zone {
		c.last = lastLook{} // What was read in another zone is read anew.
	}
	look := &look{client: c, zone: zone, before: c.last, complete: true, unchanged: true}
	if err := look.walk(ctx); err != nil {
		return app.Board{}, err
	}
	jobs := look.jobs()
	c.last = lastLook{pages: look.pages, jobs: jobs, complete: look.complete, asRead: look.asRead, zone: zone}
	c.boardSeen.Store(&seenPage{url: look.pages[0].final, body: look.pages[0].body})
	return app.Board{
		Jobs:      jobs,
		Complete:  look.complete,
		Unchanged: look.unchanged,
		SeenAt:    look.seenAt,
		Pages:     len(look.pages),
		Bytes:     look.bytes,
	}, nil
}

// look is one look while it is being made.
type look struct {
	client    *Client
	zone      *time.Location
	before    lastLook
	pages     []*boardPage
	read      [][]app.Job // By page, with forms as they are now.
	complete  bool
	unchanged bool // Every page so far was as at the look before.
	asRead    bool // Every page's jobs are as they were read from it once.
	seenAt    time.Time
	bytes     int
}

// walk reads page after page.
func (l *look) walk(ctx context.Context) error {
	l.asRead = true
	site := l.client.site.Load()
	address := site.boardAddress()
	visited := make(map[string]bool)
	for {
		visited[address.String()] = true
		p, err := l.client.get(ctx, address, nil)
		if err == nil && len(l.pages) > 0 && p.redirected && visited[p.url.String()] {
			break // The page is gone, and the portal went back to another.
		}
		if err == nil {
			visited[p.url.String()] = true
			err = l.take(p, address.String())
		}
		if err != nil {
			if len(l.pages) == 0 || !bearable(err) || ctx.Err() != nil {
				return err
			}
			break
		}
		last := l.pages[len(l.pages)-1]
		if last.next == "" && !last.doubt {
			return nil
		}
		if last.doubt || visited[last.next] || len(l.pages) >= int(l.client.profile.board.mostPages) {
			break
		}
		if address, err = url.Parse(last.next); err != nil {
			break
		}
	}
	l.complete, l.unchanged = false, l.unchanged && !l.before.complete
	return nil
}

// bearable tells whether a later page's failure leaves the pages before it worth something.
func bearable(err error) bool {
	failure, ok := errors.AsType[*app.PageError](err)
	if !ok || failure.RetryAfter > 0 || failure.Status == 429 {
		return false
	}
	return failure.Class != app.PageLoggedOut && failure.Class != app.PageChallenge
}

// take reads one page: again, where it is not what it was at the look before.
func (l *look) take(p *page, asked string) error {
	defer p.release()
	var then *boardPage
	if i := len(l.pages); i < len(l.before.pages) && l.before.pages[i].asked == asked {
		then = l.before.pages[i]
	}
	bytes := len(p.body)
	if jobs, asRead, ok := then.again(p); ok {
		l.add(p, then, jobs, bytes)
		l.asRead = l.asRead && asRead
		return nil
	}
	f := p.classify(toLook)
	if f.class != app.PageBoard && f.class != app.PageEmptyBoard {
		return p.err(f.class, f.reason)
	}
	now := p.boardPage(asked, p.readBoard(f.board, l.zone))
	l.add(p, now, now.read.jobs, bytes)
	l.unchanged = false
	return nil
}

func (l *look) add(p *page, b *boardPage, jobs []app.Job, bytes int) {
	if len(l.pages) == 0 {
		l.seenAt = p.firstByte
	}
	l.pages = append(l.pages, b)
	l.read = append(l.read, jobs)
	l.bytes += bytes
	l.complete = l.complete && b.read.whole
}

// jobs gives the jobs of all pages, each once.
func (l *look) jobs() []app.Job {
	l.unchanged = l.unchanged && len(l.pages) == len(l.before.pages)
	if l.unchanged && l.asRead && l.before.asRead {
		return l.before.jobs
	}
	all := l.read[0]
	if len(l.read) > 1 {
		all = slices.Concat(l.read...)
	}
	return once(all)
}

// once leaves each job of a list in it once. A job can stand there twice, when rows have
// moved to the next page between two requests; where the two differ in their state, the one
// that keeps our hands off is right. Two that are free and name different appointments both
// stay: nothing is certain of them, and those who read the board have to see that.
func once(jobs []app.Job) []app.Job {
	place := make(map[string]int, len(jobs))
	doubled := false
	for i := range jobs {
		if _, doubled = place[jobs[i].Number]; doubled {
			break
		}
		place[jobs[i].Number] = i
	}
	if !doubled {
		return jobs
	}
	clear(place)
	kept := make([]app.Job, 0, len(jobs))
	for _, j := range jobs {
		at, seen := place[j.Number]
		if !seen {
			place[j.Number] = len(kept)
			kept = append(kept, j)
			continue
		}
		first := &kept[at]
		switch {
		case caution(j.State) > caution(first.State):
			*first = j
		case j.State == app.StateMatched && first.State == app.StateMatched && !sameAppointment(&j, first):
			kept = append(kept, j)
		case j.State == first.State && first.AcceptForm == nil:
			first.AcceptForm = j.AcceptForm
		}
	}
	return kept
}

func sameAppointment(a, b *app.Job) bool {
	return a.DateText == b.DateText && a.TimeText == b.TimeText && a.DurationText == b.DurationText && a.Language == b.Language
}

// caution orders states by how surely they keep our hands off; "" comes before all.
func caution(s app.JobState) int {
	return slices.Index([]app.JobState{"", app.StateMatched, app.StateOther, app.StateGone, app.StateOurs}, s)
}

// nextPage gives the link to the board's next page. doubt says that there is one which
// is not followed, since it leads out of the board, or back.
func (p *page) nextPage() (next link, doubt bool) {
	site := p.client.site.Load()
	for _, a := range p.client.profile.board.next.all(p.parse().root) {
		href := strings.TrimSpace(attribute(a, "href"))
		if href == "" || href[0] == '#' || attribute(a, "aria-disabled") == "true" {
			continue
		}
		to, ok := p.link(href)
		below := samePath(to.path, site.board) || strings.HasPrefix(to.path, strings.TrimSuffix(site.board, "/")+"/")
		if !ok || !below || site.acts(to.path) || !p.forward(to) {
			doubt = true
			continue
		}
		return to, false
	}
	return link{}, doubt
}

// forward tells whether a next link goes on, as far as the addresses tell.
func (p *page) forward(to link) bool {
	here, there := pageNumber(p.url.RawQuery), pageNumber(to.query)
	return here == 0 && there == 0 || there == 0 || there > max(here, 1)
}

// pageNumber gives the number of the page in a query, or 0 where there is none.
func pageNumber(query string) int {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(values.Get("page"))
	if err != nil {
		return 0
	}
	return n
}
