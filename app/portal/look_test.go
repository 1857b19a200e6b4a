package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
)

func numbersOf(b app.Board) string {
	var numbers []string
	for _, j := range b.Jobs {
		numbers = append(numbers, j.Number)
	}
	return strings.Join(numbers, " ")
}

func TestTheBoardIsReadOverAllItsPages(t *testing.T) {
	next := func(href string) string { return `<nav><a rel="next" href="` + href + `">Next</a></nav>` }
	board := func(rows, under string) http.HandlerFunc { return page200(framed(table(rows) + under)) }
	one, two, three := jobRow("1001", "Matched"), jobRow("1002", "Matched"), jobRow("1003", "Matched")

	for name, c := range map[string]struct {
		answers  map[string]http.HandlerFunc
		want     string
		complete bool
		asked    int
	}{
		"one page": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, ""),
		}, "1001", true, 1},
		"three pages": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": board(two, next("?page=3")),
			"GET /interpreter-jobs?page=3": board(three, `<a rel="prev" href="?page=2">Previous</a>`),
		}, "1001 1002 1003", true, 3},
		"a job that moved to the next page meanwhile": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one+two, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": board(two+three, ""),
		}, "1001 1002 1003", true, 2},
		"a number that stands for two appointments": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one+strings.Replace(one, "14:30", "16:30", 1)+two+two, ""),
		}, "1001 1001 1002", true, 1},
		"an empty last page": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": board(noJobs, ""),
		}, "1001", true, 2},
		"several words in rel, and an absolute address": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, `<a rel="nofollow next" href="BASE/interpreter-jobs/page/2">Next</a>`),
			"GET /interpreter-jobs/page/2": board(two, ""),
		}, "1001 1002", true, 2},
		"in capital letters, without quotes": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, `<A REL=Next HREF=?page=2>Next</A>`),
			"GET /interpreter-jobs?page=2": board(two, ""),
		}, "1001 1002", true, 2},
		"a page that names itself as the next": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, next("/interpreter-jobs")),
		}, "1001", false, 1},
		"pages in a circle": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":     board(one, next("/interpreter-jobs?p=b")),
			"GET /interpreter-jobs?p=b": board(two, next("/interpreter-jobs?p=c")),
			"GET /interpreter-jobs?p=c": board(three, next("/interpreter-jobs?p=b")),
		}, "1001 1002 1003", false, 3},
		"a next page that goes back": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": board(two, next("/interpreter-jobs?page=1")),
		}, "1001 1002", false, 2},
		"a next page elsewhere": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, next("https://elsewhere.example.com/interpreter-jobs?page=2")),
		}, "1001", false, 1},
		"a next page of something else": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, next("/news?page=2")),
		}, "1001", false, 1},
		"a next page that would act": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, next("/interpreter-jobs/1001/matched")),
		}, "1001", false, 1},
		"a next link that leads nowhere": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs": board(one, `<a rel="next" href="#">Next</a><a rel="next" aria-disabled="true" href="?page=2">Next</a>`),
		}, "1001", true, 1},
		"a second page that fails": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": status(500, "oops"),
		}, "1001", false, 2},
		"a second page that is no board": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": page200(framed("<p>News</p>")),
		}, "1001", false, 2},
		"a second page that goes back to the first": {map[string]http.HandlerFunc{
			"GET /interpreter-jobs":        board(one, next("/interpreter-jobs?page=2")),
			"GET /interpreter-jobs?page=2": to(302, "/interpreter-jobs"),
		}, "1001", false, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			for what, answer := range c.answers {
				s.on(what, func(w http.ResponseWriter, r *http.Request) {
					answer(&baseWriter{w, s.URL}, r)
				})
			}
			board, err := client(t, s).Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := numbersOf(board); got != c.want || board.Complete != c.complete {
				t.Errorf("it read %q, complete %v; there are %q, complete %v", got, board.Complete, c.want, c.complete)
			}
			if asked := s.log(); len(asked) != c.asked {
				t.Errorf("it asked for %q", asked)
			}
		})
	}

	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   app.PageClass
	}{
		"the log-in page":    {page200(loginPage("")), app.PageLoggedOut},
		"a challenge":        {page200(`<div class="g-recaptcha"></div>`), app.PageChallenge},
		"a wish to be alone": {status(429, ""), app.PageUnavailable},
	} {
		t.Run(name+" on a later page is an error", func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs", board(one, next("/interpreter-jobs?page=2"))).on("GET /interpreter-jobs?page=2", c.answer)
			if _, err := client(t, s).Look(t.Context()); classOf(t, err) != c.want {
				t.Errorf("it gave %v", err)
			}
		})
	}

	t.Run("pages without end are not followed without end", func(t *testing.T) {
		s := newStand(t)
		s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
			page := 1
			_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
			board(jobRow(fmt.Sprint(1000+page), "Matched"), next(fmt.Sprintf("/interpreter-jobs?page=%d", page+1)))(w, r)
		})
		board, err := client(t, s).Look(t.Context())
		if err != nil || len(board.Jobs) != 20 || board.Complete {
			t.Errorf("%d jobs, complete %v, %v", len(board.Jobs), board.Complete, err)
		}
	})
}

// baseWriter puts the server's address where a page says BASE.
type baseWriter struct {
	http.ResponseWriter
	base string
}

func (w *baseWriter) Write(b []byte) (int, error) {
	_, err := w.ResponseWriter.Write([]byte(strings.ReplaceAll(string(b), "BASE", w.base)))
	return len(b), err
}

func (w *baseWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func TestABoardThatHasNotChangedIsRecognisedAndItsFormsAreFresh(t *testing.T) {
	s := newStand(t)
	var body string
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) { page200(body)(w, r) })
	c := client(t, s)
	look := func() app.Board {
		t.Helper()
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return board
	}
	token := func(b app.Board, job int) string { return b.Jobs[job].AcceptForm.Fields[0].Value }

	body = boardOf(3, firstToken)
	first := look()
	if first.Unchanged {
		t.Error("the first look found an unchanged board")
	}
	second := look()
	if !second.Unchanged || &second.Jobs[0] != &first.Jobs[0] {
		t.Error("the same bytes were read again")
	}

	body = boardOf(3, secondToken)
	third := look()
	if !third.Unchanged || !third.Complete || len(third.Jobs) != 3 {
		t.Errorf("fresh tokens alone made it another board: %+v", third)
	}
	for i := range third.Jobs {
		if token(third, i) != secondToken {
			t.Errorf("job %d would be accepted with the token %s", i, token(third, i))
		}
		if token(first, i) != firstToken {
			t.Errorf("the job handed out before was changed to %s", token(first, i))
		}
	}

	body = strings.Replace(boardOf(3, firstToken), ">Matched<", ">Filled<", 1)
	fourth := look()
	if fourth.Unchanged || fourth.Jobs[0].State != app.StateGone || token(fourth, 1) != firstToken {
		t.Errorf("a new status was not seen: %v, %s", fourth.Unchanged, fourth.Jobs[0].State)
	}

	body = boardOf(2, secondToken)
	if fifth := look(); fifth.Unchanged || len(fifth.Jobs) != 2 {
		t.Error("a job that went was not noticed")
	}
	body = boardOf(0, secondToken)
	body = strings.Replace(body, "<tbody>\n", "<tbody>"+noJobs, 1)
	if sixth := look(); sixth.Unchanged || len(sixth.Jobs) != 0 {
		t.Error("an empty board was not noticed")
	}
	body = strings.ReplaceAll(body, secondToken, firstToken)
	if seventh := look(); !seventh.Unchanged || len(seventh.Jobs) != 0 || !seventh.Complete {
		t.Error("an empty board with a fresh token was not recognised")
	}
}

func TestWhatSaysNothingOfJobsMakesNoOtherBoard(t *testing.T) {
	noisy := func(n string) string {
		page := boardOf(3, firstToken)
		for old, with := range map[string]string{
			"<title>":         `<meta name="request-id" content="` + n + `"><script nonce="` + n + `" src="/app.js?v=` + n + `"></script><link rel="stylesheet" href="/x.css?` + n + `"><title>`,
			"<main>":          `<p class="clock">It is <b>12:0` + n + `</b> o'clock</p><!-- made in ` + n + ` ms --><script>var now = ` + n + `;</script><form action="/search"><input name="q" value="` + n + `"></form><main>`,
			"&copy;":          n + " visitors ",
			`data-id="48001"`: `data-id="48001"><!-- ` + n + ` --`,
		} {
			page = strings.ReplaceAll(page, old, with)
		}
		return page
	}
	s := newStand(t)
	looks := 0
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
		looks++
		page200(noisy(fmt.Sprint(looks*looks)))(w, r)
	})
	c := client(t, s)
	for look := range 4 {
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if board.Unchanged != (look > 0) || len(board.Jobs) != 3 {
			t.Errorf("look %d: unchanged %v, %d jobs", look, board.Unchanged, len(board.Jobs))
		}
	}
}

func TestWhateverDiffersBesideATokenIsRead(t *testing.T) {
	base := boardOf(3, firstToken)
	for name, change := range map[string]func(string) string{
		"another time":     func(s string) string { return strings.Replace(s, "14:30", "14:45", 1) },
		"another number":   func(s string) string { return strings.ReplaceAll(s, "48001", "48009") },
		"another action":   func(s string) string { return strings.Replace(s, `48001/matched"`, `48001/matched?x=1"`, 1) },
		"one row more":     func(s string) string { return strings.Replace(s, "</tbody>", jobRow("51000", "Matched")+"</tbody>", 1) },
		"a text in a cell": func(s string) string { return strings.Replace(s, "<strong>48001", "<strong>48009", 1) },
		"a heading":        func(s string) string { return strings.Replace(s, "<h1>Interpreter jobs", "<h1>Maintenance", 1) },
		"a way to the log-in": func(s string) string {
			return strings.Replace(s, `<meta name="csrf-token" content="`, `<meta http-equiv="refresh" content="`, 1)
		},
		"a tag in a text":     func(s string) string { return strings.Replace(s, "&copy;", `<div class="g-recaptcha"></div>`, 1) },
		"a comment around it": func(s string) string { return strings.Replace(s, "&copy;", "<!--", 1) },
		"a log-in form":       func(s string) string { return strings.Replace(s, "</section>", "</section>"+loginForm, 1) },
		"a token that ends oddly": func(s string) string {
			return strings.Replace(s, `value="`+firstToken+`"`, `value="x" disabled data-x="`+firstToken+`"`, 2)
		},
		"a next page": func(s string) string {
			return strings.Replace(s, "</section>", `</section><a rel=next href="?page=2">`, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			body := base
			s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) { page200(body)(w, r) })
			c := client(t, s)
			if _, err := c.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if body = change(base); body == base {
				t.Fatal("nothing was changed")
			}
			if board, err := c.Look(t.Context()); err == nil && board.Unchanged {
				t.Error("it was taken for unchanged")
			}
		})
	}
}

// A form's fields must be those of the page that came last, wherever their tokens stand.
func TestATokenIsNeverOld(t *testing.T) {
	for name, form := range map[string]string{
		"in a hidden field":     `<input type="hidden" name="_token" value="TOKEN">`,
		"without quotes":        `<input type=hidden name=_token value=TOKEN>`,
		"in single quotes":      `<input type='hidden' value='TOKEN' name='_token'>`,
		"twice in its tag":      `<input type="hidden" id="t-TOKEN" name="_token" value="TOKEN">`,
		"in the button":         `<button name="_token" value="TOKEN">Accept</button>`,
		"in a textarea":         `<textarea hidden name="_token">TOKEN</textarea>`,
		"in a select":           `<select name="_token"><option>TOKEN</option></select>`,
		"with other text":       `<input type="hidden" name="_token" value="v1:TOKEN:x">`,
		"with entities":         `<input type="hidden" name="_token" value="TOKEN&amp;&#x41;">`,
		"in several fields":     `<input type="hidden" name="a" value="TOKEN"><input type="hidden" name="_token" value="TOKEN">`,
		"in its field's name":   `<input type="hidden" name="TOKEN" value="TOKEN">`,
		"in the form's address": `<input type="hidden" name="x" value="TOKEN"><button formaction="/interpreter-jobs/48213/matched?t=TOKEN">Go</button>`,
		"short":                 `<input type="hidden" name="_token" value="TOKEN" data-short>`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			var token string
			s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
				row := rowWith("48213/A", `<form method="POST" action="/interpreter-jobs/48213/matched">`+form+`</form>`)
				page200(strings.ReplaceAll(framed(`<meta name="csrf-token" content="TOKEN"><script>t="TOKEN"</script>`+table(row)), "TOKEN", token))(w, r)
			})
			c := client(t, s)
			tokens := []string{firstToken, secondToken, firstToken, "another-token-0123456789"}
			if name == "short" {
				tokens = []string{"a1", "b2", "a1", "c3"}
			}
			for _, token = range tokens {
				board, err := c.Look(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				f := board.Jobs[0].AcceptForm
				sent := f.Action + " " + encode(f.Fields)
				if !strings.Contains(sent, token) || slices.ContainsFunc(tokens, func(old string) bool { return old != token && strings.Contains(sent, old) }) {
					t.Errorf("the token is %s, and the form would send %s", token, sent)
				}
			}
		})
	}
}
