package portal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/atozbot/atozbot/app"
)

// Part is a part of the profile, and what a visit to the portal found of it.
type Part struct {
	Name  string `json:"name"`  // As in the profile's file: "board.row".
	Value string `json:"value"` // As it is in the profile.
	Where string `json:"where"` // The page on which it is to be found; "" for a part that no page must show.
	Seen  bool   `json:"seen"`  // Whether such a page was there to look at.
	Found int    `json:"found"` // How often it was found there.
}

// Missing tells whether the part should have been found, and was not: then the portal
// has changed, or the profile is wrong.
func (p Part) Missing() bool { return p.Where != "" && p.Seen && p.Found == 0 }

// Advice is the one thing to do about the part, or "".
func (p Part) Advice() string {
	if !p.Missing() {
		return ""
	}
	return fmt.Sprintf("Look at %s in a browser, and put what is there now into %s of a PORTAL_PROFILE file.", p.Where, p.Name)
}

// Examination is what a visit to the portal found, page by page. An error is nil where
// the page was what it should be, and an [app.PageError] where it was not.
type Examination struct {
	Profile string // The profile's name.
	LogIn   error
	Board   error
	Details error // nil also where there was no job to look at.
	Jobs    int   // On the first page of the board.
	// WithDetails says that the details of a job were there to look at.
	WithDetails bool
	Parts       []Part
}

// Examine visits the log-in page, logs in, looks at the board and at the details of one
// of its jobs, and says for every part of the profile whether it was found. It acts on
// nothing. It is for the doctor, who uses a client of its own, not logged in yet.
func (c *Client) Examine(ctx context.Context) Examination {
	x := &examiner{client: c, found: make(map[string]int), seen: make(map[place]bool)}
	x.result.Profile = c.profile.Name
	x.visitLogin(ctx)
	x.result.LogIn = c.LogIn(ctx)
	if x.result.LogIn == nil {
		x.visitBoard(ctx)
	} else {
		x.result.Board = x.result.LogIn
	}
	for _, part := range c.profile.parts() {
		x.result.Parts = append(x.result.Parts, Part{
			Name: part.name, Value: part.value.String(), Where: string(part.on),
			Seen: x.seen[part.on] || part.on == nowhere && x.found[part.name] > 0, Found: x.found[part.name],
		})
	}
	return x.result
}

type examiner struct {
	client *Client
	found  map[string]int
	seen   map[place]bool
	result Examination
}

func (x *examiner) visitLogin(ctx context.Context) {
	p, err := x.client.get(ctx, x.client.site.Load().loginAddress(), nil)
	if err != nil {
		return // LogIn says so.
	}
	defer p.release()
	if f := p.classify(toLogIn); f.class == app.PageLoggedOut {
		x.look(p, onLogin)
	}
}

func (x *examiner) visitBoard(ctx context.Context) {
	c := x.client
	p, err := c.get(ctx, c.site.Load().boardAddress(), nil)
	if err != nil {
		x.result.Board = err
		return
	}
	defer p.release()
	f := p.classify(toLook)
	if f.class != app.PageBoard && f.class != app.PageEmptyBoard {
		x.result.Board = p.err(f.class, f.reason)
		if f.class == app.PageChanged {
			x.look(p, onLoggedIn)
			x.look(p, onBoard)
			x.look(p, onJob)
		}
		return
	}
	x.look(p, onLoggedIn)
	x.look(p, onBoard)
	read := p.readBoard(f.board, p.client.zone.Load())
	x.result.Jobs = len(read.jobs)
	if len(read.jobs) > 0 {
		x.look(p, onJob)
		x.countForms(read.jobs)
	}
	if next, _ := p.nextPage(); next.absolute != "" {
		x.look(p, onPaged)
	}
	if i := slices.IndexFunc(read.jobs, func(j app.Job) bool { return j.DetailsURL != "" }); i >= 0 {
		x.visitDetails(ctx, read.jobs[i])
	}
}

func (x *examiner) countForms(jobs []app.Job) {
	for _, j := range jobs {
		x.seen[onFree] = x.seen[onFree] || j.State == app.StateMatched
		if j.AcceptForm != nil {
			x.found["paths.accept"]++
		}
		profile := x.client.profile
		for name, w := range map[string]words{
			"status.matched": profile.status.matched, "status.ours": profile.status.ours, "status.gone": profile.status.gone,
		} {
			if w.in(plain(j.StatusText)) != "" {
				x.found[name]++
			}
		}
	}
}

func (x *examiner) visitDetails(ctx context.Context, job app.Job) {
	c := x.client
	address, err := c.detailsAddress(job)
	if err != nil {
		x.result.Details = err
		return
	}
	p, err := c.get(ctx, address, c.site.Load().boardAddress())
	if err != nil {
		x.result.Details = err
		return
	}
	defer p.release()
	if f := p.classify(toRead); f.class != app.PageDetails {
		x.result.Details = p.err(f.class, f.reason)
		if f.class == app.PageChanged {
			x.look(p, onDetails)
		}
		return
	}
	x.result.WithDetails = true
	x.look(p, onDetails)
	if d, other := p.readDetails(job.Number); other == "" && d.State == app.StateMatched {
		x.look(p, onReject)
	}
}

// look counts on p every part that is to be found on that page.
func (x *examiner) look(p *page, on place) {
	x.seen[on] = true
	root := p.parse().root
	for _, part := range x.client.profile.parts() {
		if part.on != on {
			continue
		}
		switch value := part.value.(type) {
		case *selector:
			x.found[part.name] += len(value.all(root))
		case *words:
			for _, l := range p.labels() {
				if value.are(plain(l.Label)) {
					x.found[part.name]++
				}
			}
		case *text:
			x.found[part.name] += countActions(p.doc.forms, string(*value))
		}
	}
	// Either layout of the details will do.
	if on == onDetails && x.found["details.table"] == 0 {
		x.found["details.table"] = len(x.client.profile.details.older.all(root))
	}
}

func countActions(forms []*form, part string) int {
	n := 0
	for _, f := range forms {
		if strings.Contains(attribute(f.node, "action"), part) {
			n++
		}
	}
	return n
}
