package practice

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Control is the portal's back door, mounted under /practice/: what went on, and ways
// to make something happen. It belongs to whoever tries the portal out; no client of
// the portal needs it. Forms of other sites are not taken.
func (p *Portal) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /practice/{$}", p.serveIndex)
	mux.HandleFunc("GET /practice/truth.json", p.serveTruth)
	mux.HandleFunc("GET /practice/counts.json", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.Counts()) })
	mux.HandleFunc("GET /practice/fault", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.Truth().Faults) })
	mux.HandleFunc("POST /practice/jobs", p.takeJob)
	mux.HandleFunc("POST /practice/jobs/{number}/take", p.onJob(p.Take))
	mux.HandleFunc("POST /practice/jobs/{number}/withdraw", p.onJob(p.Withdraw))
	mux.HandleFunc("POST /practice/fault", p.takeFault)
	mux.HandleFunc("DELETE /practice/fault", p.clearFault)
	mux.HandleFunc("POST /practice/fault/clear", p.clearFault)
	mux.HandleFunc("POST /practice/sessions/end", func(w http.ResponseWriter, r *http.Request) {
		p.EndSessions()
		done(w, r, struct {
			Ended bool `json:"ended"`
		}{true})
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// Handler is the portal with its back door, and an index page at its root.
func (p *Portal) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.Handle("/practice/", p.Control())
	mux.HandleFunc("GET /{$}", p.serveIndex)
	return mux
}

// indexPage is what the index page shows.
type indexPage struct {
	Base      string
	Host      string
	Accounts  []Account
	BoardPath string
	Counts    Counts
	Kinds     []FaultKind
	Faults    []FaultTruth
	Pages     []Page
}

// serveIndex describes what can be tried.
func (p *Portal) serveIndex(w http.ResponseWriter, r *http.Request) {
	t := p.Truth()
	p.mu.Lock()
	accounts := slices.Clone(p.scenario.Accounts)
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, "index.html", indexPage{
		Base: p.scenario.Prefix, Host: r.Host,
		Accounts: accounts, BoardPath: p.scenario.Board.Path, Counts: t.Counts,
		Kinds: FaultKinds(), Faults: t.Faults,
		Pages: []Page{PageLogin, PageLogIn, PageDashboard, PageBoard, PageDetails, PageAccept, PageContinue, PageReject},
	})
}

// serveTruth gives the truth: of all jobs, or of those that "state" or "number" name.
func (p *Portal) serveTruth(w http.ResponseWriter, r *http.Request) {
	t := p.Truth()
	state, number := r.FormValue("state"), r.FormValue("number")
	kept := t.Jobs[:0]
	for _, j := range t.Jobs {
		if (state == "" || j.State == state) && (number == "" || strconv.FormatInt(j.Number, 10) == number) {
			kept = append(kept, j)
		}
	}
	t.Jobs = kept
	writeJSON(w, http.StatusOK, t)
}

// takeJob adds a job: as JSON, or from the form of the index page.
func (p *Portal) takeJob(w http.ResponseWriter, r *http.Request) {
	j, err := readJob(r)
	if err == nil {
		err = Scenario{Jobs: []Job{j}}.Validate()
	}
	if err != nil {
		mistake(w, err)
		return
	}
	if j.Number != 0 {
		if _, taken := p.JobTruth(j.Number); taken {
			mistake(w, errors.New("number: there is such a job already"))
			return
		}
	}
	number := p.AddJob(j)
	done(w, r, struct {
		Number int64  `json:"number"`
		Path   string `json:"path"`
	}{number, jobsPath + "/" + strconv.FormatInt(number, 10)})
}

func readJob(r *http.Request) (Job, error) {
	var j Job
	if !isForm(r) {
		return j, readJSON(r, &j)
	}
	if err := r.ParseForm(); err != nil {
		return j, err
	}
	j.Language, j.Type = r.PostForm.Get("language"), r.PostForm.Get("type")
	minutes, err := number(r.PostForm.Get("minutes"))
	if err != nil {
		return j, errors.New("minutes: not a number")
	}
	j.Minutes = int(minutes)
	if starts := r.PostForm.Get("starts_in"); starts != "" {
		if j.StartsIn, err = time.ParseDuration(starts); err != nil {
			return j, errors.New(`starts_in: no duration such as "26h"`)
		}
	}
	return j, nil
}

// onJob makes a handler of something that happens to one job.
func (p *Portal) onJob(happen func(int64) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := number(r.PathValue("number"))
		if err != nil {
			mistake(w, errors.New("number: not a number"))
			return
		}
		done(w, r, struct {
			Done bool `json:"done"`
		}{happen(n)})
	}
}

// takeFault sets a fault: as JSON, or from the form of the index page.
func (p *Portal) takeFault(w http.ResponseWriter, r *http.Request) {
	f, err := readFault(r)
	if err == nil {
		err = p.SetFault(f)
	}
	if err != nil {
		mistake(w, err)
		return
	}
	done(w, r, f)
}

func readFault(r *http.Request) (Fault, error) {
	var f Fault
	if !isForm(r) {
		return f, readJSON(r, &f)
	}
	if err := r.ParseForm(); err != nil {
		return f, err
	}
	f.Kind, f.Page = FaultKind(r.PostForm.Get("kind")), Page(r.PostForm.Get("page"))
	count, err := number(r.PostForm.Get("count"))
	if err != nil {
		return f, errors.New("count: not a number")
	}
	f.Count = int(count)
	if seconds := r.PostForm.Get("seconds"); seconds != "" {
		n, err := number(seconds)
		if err != nil {
			return f, errors.New("seconds: not a number")
		}
		f.Until = time.Duration(n) * time.Second
	}
	return f, nil
}

// clearFault ends the fault of the given name, or all.
func (p *Portal) clearFault(w http.ResponseWriter, r *http.Request) {
	var names []string
	if name := r.FormValue("name"); name != "" {
		names = append(names, name)
	}
	p.ClearFaults(names...)
	done(w, r, struct {
		Cleared bool `json:"cleared"`
	}{true})
}

// done answers a program with JSON, and leads a person back to the index page.
func done(w http.ResponseWriter, r *http.Request, answer any) {
	if isForm(r) {
		http.Redirect(w, r, "/practice/", http.StatusSeeOther)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

func readJSON(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	if len(data) == 0 {
		data = []byte("{}")
	}
	return decode(data, into)
}

func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

func mistake(w http.ResponseWriter, err error) {
	writeJSON(w, http.StatusUnprocessableEntity, struct {
		Error string `json:"error"`
	}{err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := encode(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
